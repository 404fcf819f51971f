import type {
  Bundle,
  OperationOutcome,
  Parameters,
  ParametersParameter,
  Resource,
  RiskAssessment,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { readInputs, readOutcomes } from '../support/predict-call.ts';
import { laboratoryResult, scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

const clock = { now: () => new Date('2026-03-01T12:00:00Z') };
const person = scorablePatient('held');

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ clock });
  const stored = await send(server.fhir, 'POST', transactionOf(person, { fullUrls: false }));
  expect(stored.status, stored.text).toBe(200);
});
afterAll(() => server?.close());

/** `$predict` about Patient/`id` with these resources, each its own parameter. */
function predict(id: string, resources: readonly Resource[], ...more: ParametersParameter[]): Promise<Answer> {
  const parameter: ParametersParameter[] = [
    { name: 'model', valueString: 'prevent-base' },
    { name: 'asOf', valueDateTime: '2026-03-01T11:00:00Z' },
    { name: 'useServerData', valueBoolean: false },
    ...more,
    ...resources.map((resource) => ({ name: 'resource', resource })),
  ];
  return send(`${server.fhir}/Patient/${id}/$predict`, 'POST', { resourceType: 'Parameters', parameter } as Parameters);
}

const collection = (resources: readonly Resource[]): Bundle => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: resources.map((resource) => ({ resource })),
});

async function refused(answering: Promise<Answer>, status: number, says: RegExp, expression?: string): Promise<void> {
  const answer = await answering;
  expect(answer.status, answer.text).toBe(status);
  const [issue] = (answer.body as OperationOutcome).issue;
  expect(issue?.diagnostics ?? issue?.details?.text).toMatch(says);
  if (expression !== undefined) expect(issue?.expression).toEqual([expression]);
}

describe('$predict with useServerData false', () => {
  it('gives the very scores of the same data read from the own store, and names no source that could be looked up', async () => {
    const stored = await send(`${server.fhir}/Patient/held/$predict`, 'POST', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'model', valueString: 'prevent-base' },
        { name: 'asOf', valueDateTime: '2026-03-01T11:00:00Z' },
      ],
    });
    const sent = await predict('held', person);
    expect(readOutcomes(sent)).toEqual(readOutcomes(stored));
    const result = sent.body as RiskAssessment;
    expect(result.id).toBeUndefined();
    expect(result.subject).toEqual({ reference: 'Patient/held' });
    for (const { reference, display } of result.basis ?? []) {
      expect(reference).toBeUndefined();
      expect(display).toMatch(/sent by the caller, not stored$/);
    }
    expect(result.identifier?.[0]?.value).not.toBe((stored.body as RiskAssessment).identifier?.[0]?.value);
  });

  it('takes a Bundle for what is in it', async () => {
    const each = await predict('held', person);
    const bundled = await predict('held', [collection(person)]);
    expect(bundled.status, bundled.text).toBe(200);
    expect(bundled.body.identifier).toEqual(each.body.identifier);
    expect(readOutcomes(bundled)).toEqual(readOutcomes(each));
  });

  it('does not look at what the store holds: what is not sent was not there', async () => {
    const systolic = laboratoryResult('held', 'systolic', '8480-6', 151, 'mm[Hg]');
    const answer = await predict(
      'held',
      person.filter(({ id }) => id !== systolic.id),
    );
    expect(answer.status, answer.text).toBe(422);
    expect(answer.text).toContain('systolicBloodPressure');
  });

  it('needs no patient of this server, and no store could contradict what is sent', async () => {
    const answer = await predict('unheard-of', scorablePatient('unheard-of'));
    expect(answer.status, answer.text).toBe(200);
    const contradicting = laboratoryResult('held', 'systolic', '8480-6', 130, 'mm[Hg]');
    const changed = await predict('held', [...person.filter(({ id }) => id !== contradicting.id), contradicting]);
    expect(readInputs(changed).get('systolicBloodPressure')?.value).toBe(130);
  });

  it('takes no part among the outcomes, so it supersedes nothing, and is in the prediction log', async () => {
    const { query } = server.house.database;
    const outcomes = async () => (await query('select identifier from outcomes order by 1')).rows;
    const before = await outcomes();
    const answer = await predict('held', person);
    expect(await outcomes()).toEqual(before);
    const [identifier] = (JSON.parse(answer.text) as RiskAssessment).identifier ?? [];
    const logged = await query('select state, fhir_base from prediction_log where result = $1', [identifier?.value]);
    expect(logged.rows).toContainEqual({ state: 'scored', fhir_base: 'urn:fhirsight:caller' });
  });

  it('predicts for an encounter that is among the resources', async () => {
    const answer = await predict('held', person, { name: 'encounter', valueString: 'Encounter/held-visit' });
    expect((answer.body as RiskAssessment).encounter).toEqual({ reference: 'Encounter/held-visit' });
  });

  it('with useServerData true it is as if it were not there', async () => {
    const parameter = [{ name: 'model', valueString: 'prevent-base' }];
    const path = `${server.fhir}/Patient/held/$predict`;
    const absent = await send(path, 'POST', { resourceType: 'Parameters', parameter } as Parameters);
    const present = await send(path, 'POST', {
      resourceType: 'Parameters',
      parameter: [...parameter, { name: 'useServerData', valueBoolean: true }],
    } as Parameters);
    expect(present.body.identifier).toEqual(absent.body.identifier);
  });

  it('with explain false the answer says that no contributions were asked for', async () => {
    const answer = await predict('held', person, { name: 'explain', valueBoolean: false });
    expect(answer.status, answer.text).toBe(200);
    expect((answer.body as RiskAssessment).note?.map(({ text }) => text)).toContain(
      'No contributions of inputs: not asked for',
    );
    expect(answer.text).not.toContain('"url":"contribution"');
    expect(readOutcomes(answer)).toEqual(readOutcomes(await predict('held', person)));
  });
});

describe('$predict with useServerData false and bad input', () => {
  it('writeBack: 422, and nothing is kept', async () => {
    await refused(
      predict('held', person, { name: 'writeBack', valueBoolean: true }),
      422,
      /the call names or holds is never written back.*leave out writeBack/,
    );
  });

  it('no resource at all: 404, and it says where the Patient was looked for', async () => {
    await refused(predict('held', []), 404, /no Patient\/held among the resources of the call/);
  });

  it('resources without the Patient: 404', async () => {
    await refused(
      predict(
        'held',
        person.filter(({ resourceType }) => resourceType !== 'Patient'),
      ),
      404,
      /Send the Patient with the id that the call names/,
    );
  });

  it('a Patient of another id: 422 by its place', async () => {
    await refused(predict('another', person), 422, /belongs to another patient/, 'Parameters.parameter[3].resource');
  });

  it('two patients: 422 by the place of the second', async () => {
    const [second] = scorablePatient('second');
    await refused(
      predict('held', [...person, second as Resource]),
      422,
      /belongs to another patient/,
      `Parameters.parameter[${3 + person.length}].resource`,
    );
  });

  it('the same Patient twice, and different: 422', async () => {
    const [twin] = scorablePatient('held', { birthDate: '1970-01-01' });
    await refused(predict('held', [...person, twin as Resource]), 422, /differs from the one with the same id/);
  });

  it('a Patient without an id: 422', async () => {
    const nameless = person.map((resource) =>
      resource.resourceType === 'Patient' ? { ...resource, id: undefined } : resource,
    );
    await refused(predict('held', nameless as Resource[]), 422, /another patient/);
  });

  it('an encounter that is not among the resources, though the store holds it: 404', async () => {
    await refused(
      predict(
        'held',
        person.filter(({ resourceType }) => resourceType !== 'Encounter'),
        { name: 'encounter', valueString: 'Encounter/held-visit' },
      ),
      404,
      /no Encounter\/held-visit among the resources of the call/,
    );
  });

  it('a resource that breaks base R4 inside a Bundle: 400 by its place', async () => {
    const broken = {
      ...laboratoryResult('held', 'x', '8480-6', 1, 'mm[Hg]'),
      status: 'nonsense',
    } as unknown as Resource;
    await refused(predict('held', [collection([...person, broken])]), 400, /status/);
  });

  it.each([
    ['valueString', 'false'],
    ['valueInteger', 0],
    ['valueCode', 'false'],
  ])('a value that is no boolean (%s): 400', async (key, value) => {
    const answer = await send(`${server.fhir}/Patient/held/$predict`, 'POST', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'model', valueString: 'prevent-base' },
        { name: 'useServerData', [key]: value },
      ],
    } as Parameters);
    await refused(Promise.resolve(answer), 400, /useServerData.*takes valueBoolean/);
  });

  it('given twice: 400', async () => {
    await refused(predict('held', person, { name: 'useServerData', valueBoolean: true }), 400, /1 time/);
  });
});
