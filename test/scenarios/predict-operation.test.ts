import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { CapabilityStatement, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { root } from '../support/markdown-blocks.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { strictR4Issues } from '../support/strict-r4.ts';
import { transactionOf } from '../support/transaction-of.ts';

const now = new Date('2026-03-01T10:20:30.400Z');
const people = ['levels', 'preferred', 'unwritten'];

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ clock: { now: () => now } });
  const resources = people.flatMap((id) => scorablePatient(id));
  expect((await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: false }))).status).toBe(200);
});
afterAll(() => server?.close());

const model = { name: 'model', valueString: 'prevent-base' };
const subject = (id: string) => ({ name: 'subject', valueString: `Patient/${id}` });

function predict(place: string, parameter: readonly object[], headers: Record<string, string> = {}): Promise<Answer> {
  return send(
    `${server.fhir}${place}`,
    'POST',
    { resourceType: 'Parameters', parameter: [model, ...parameter] },
    headers,
  );
}

describe('the levels of $predict', () => {
  it('OP-3 OP-11 system, type and instance level give the same bare resource, without an id where nothing is stored', async () => {
    const answers = [
      await predict('/$predict', [subject('levels')]),
      await predict('/Patient/$predict', [subject('levels')]),
      await predict('/Patient/levels/$predict', []),
      await predict('/Patient/levels/%24predict', []),
    ];
    for (const { status, body, text } of answers) {
      expect(status, text).toBe(200);
      expect(body).toEqual(answers[0]?.body);
    }
    const result = answers[0]?.body as RiskAssessment;
    expect([result.resourceType, result.id]).toEqual(['RiskAssessment', undefined]);
  });

  it('OP-2 OP-1 is defined by an OperationDefinition that keeps the rules of R4', async () => {
    const { body } = await send(`${server.fhir}/OperationDefinition/predict`);
    expect(strictR4Issues(body).filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(body).toMatchObject({ code: 'predict', kind: 'operation', affectsState: true });
    expect([body.system, body.type, body.instance, body.resource]).toEqual([true, true, true, ['Patient']]);
    expect(body.name).toMatch(/^[A-Z][A-Za-z0-9_]{0,254}$/);
    const check = (
      parameters: { name: string; type?: string; part?: []; searchType?: string; targetProfile?: [] }[],
    ) => {
      for (const { name, type, part, searchType, targetProfile } of parameters) {
        expect(name).toMatch(/^[a-z][A-Za-z0-9_]*$/);
        expect((type === undefined) !== (part === undefined), `opd-1 ${name}`).toBe(true);
        if (searchType !== undefined) expect(type, `opd-2 ${name}`).toBe('string');
        if (targetProfile !== undefined) expect(['Reference', 'canonical'], `opd-3 ${name}`).toContain(type);
        check(part ?? []);
      }
    };
    check(body.parameter);
  });
});

describe('what is served beside it', () => {
  it('OP-13 OP-41 OP-42 /metadata is valid R4 and lists the operation at the base and at Patient, with a definition that is found', async () => {
    const statement = (await send(`${server.fhir}/metadata`)).body as CapabilityStatement;
    expect(strictR4Issues(statement).filter(({ severity }) => severity === 'error')).toEqual([]);
    const [rest] = statement.rest ?? [];
    const offered = rest?.resource?.filter(({ operation }) => operation !== undefined) ?? [];
    expect(offered.map(({ type }) => type)).toEqual(['Patient']);
    const operations = [...(rest?.operation ?? []), ...(offered[0]?.operation ?? [])];
    expect(operations.map(({ name }) => name)).toEqual(['predict', 'predict']);
    for (const { definition } of operations) {
      const found = await send(`${server.fhir}/OperationDefinition?url=${definition}`);
      expect(found.body.entry?.map(({ resource }: { resource: Resource }) => resource.id)).toEqual(['predict']);
    }
  });

  it('OP-42 /metadata asks for no token and allows no other origin where the server does neither', async () => {
    const [rest] = ((await send(`${server.fhir}/metadata`)).body as CapabilityStatement).rest ?? [];
    expect([rest?.security?.service, rest?.security?.cors]).toEqual([undefined, false]);
    expect(rest?.security?.description).toMatch(/loopback/);
    const fromElsewhere = await send(`${server.fhir}/metadata`, 'GET', undefined, {
      Origin: 'https://elsewhere.example',
    });
    expect(fromElsewhere.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('OP-13 every definition of fhir-profiles/ is read by its id and found by its canonical URL', async () => {
    const folder = path.join(root, 'fhir-profiles');
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
    expect(files.length).toBeGreaterThan(25);
    for (const file of files) {
      const definition = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
      const { meta: _meta, ...wanted } = definition;
      const { meta: _stored, ...served } = (await send(`${server.fhir}/${definition.resourceType}/${definition.id}`))
        .body;
      expect(served, file).toEqual(wanted);
      const canonical = definition.url ?? definition.uniqueId[0].value;
      const by = definition.resourceType === 'NamingSystem' ? 'value' : 'url';
      const found = await send(`${server.fhir}/${definition.resourceType}?${by}=${encodeURIComponent(canonical)}`);
      const ids = found.body.entry?.map(({ resource }: { resource: Resource }) => resource.id) ?? [];
      expect(ids, `${file} ${found.text.slice(0, 300)}`).toContain(definition.id);
    }
  });
});

describe('Prefer: return on $predict', () => {
  const stored = { name: 'writeBack', valueBoolean: true };

  it('OP-32 leaves a stored result out, or says that it is stored, and always where it lies', async () => {
    const whole = await predict('/Patient/preferred/$predict', [stored]);
    const { id } = whole.body;
    const minimal = await predict('/Patient/preferred/$predict', [stored], { Prefer: 'return=minimal' });
    const told = await predict('/Patient/preferred/$predict', [stored], { Prefer: 'return=OperationOutcome' });
    expect([minimal.status, minimal.text, minimal.headers.get('content-type')]).toEqual([
      200,
      '',
      'application/fhir+json; charset=utf-8',
    ]);
    expect([told.status, told.body.resourceType]).toEqual([200, 'OperationOutcome']);
    expect(told.body.issue[0].diagnostics).toBe(`RiskAssessment/${id} is stored.`);
    for (const { headers } of [whole, minimal, told]) {
      expect(headers.get('location')).toBe(`${server.fhir}/RiskAssessment/${id}/_history/1`);
      expect([headers.get('etag'), headers.get('last-modified')]).toEqual(['W/"1"', now.toUTCString()]);
    }
    expect((await send(minimal.headers.get('location') ?? '')).body).toEqual(whole.body);
  });

  it('OP-32 gives a result that is not stored whole, since nobody could read it later', async () => {
    for (const Prefer of ['return=minimal', 'return=OperationOutcome']) {
      const answer = await predict('/Patient/unwritten/$predict', [], { Prefer });
      expect([answer.status, answer.body.resourceType, answer.headers.get('location')]).toEqual([
        200,
        'RiskAssessment',
        null,
      ]);
    }
  });
});
