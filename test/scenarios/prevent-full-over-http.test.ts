import type { Quantity, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casesPresent, readCsv } from '../support/cases.ts';
import { send } from '../support/fhir-test-server.ts';
import { predictOverHttp, type ReadOutcome, readInputs, readOutcomes } from '../support/predict-call.ts';
import { laboratoryResult, scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

type Row = Readonly<Record<string, string>>;

/** The population as published, written down here a second time: column of the cases, input, from, to. */
const ranges = [
  ['total_c', 'totalCholesterol', 130, 320],
  ['hdl_c', 'hdlCholesterol', 20, 100],
  ['sbp', 'systolicBloodPressure', 90, 180],
  ['bmi', 'bodyMassIndex', 18.5, 39.999999],
  ['egfr', 'estimatedGfr', 15, 140],
  ['hba1c', 'haemoglobinA1c', 4.5, 15],
  ['uacr', 'urineAlbuminCreatinineRatio', 0.1, 25000],
] as const;
const oldest: Readonly<Record<string, number>> = { '10': 79, '30': 59 };
const outcomes = ['total_cvd', 'ascvd', 'heart_failure', 'chd', 'stroke'] as const;
const idOf = (outcome: string, years: string) => `${outcome.replace('_', '-')}-${years}y`;

function inputsOf(row: Row): Record<string, number | boolean | string> {
  return {
    age: Number(row.age),
    sex: String(row.sex),
    totalCholesterol: Number(row.total_c),
    hdlCholesterol: Number(row.hdl_c),
    systolicBloodPressure: Number(row.sbp),
    bodyMassIndex: Number(row.bmi),
    estimatedGfr: Number(row.egfr),
    diabetes: row.dm === '1',
    currentSmoker: row.smoking === '1',
    antihypertensiveMedication: row.bp_tx === '1',
    statinMedication: row.statin === '1',
    priorCardiovascularDisease: false,
    haemoglobinA1c: Number(row.hba1c),
    urineAlbuminCreatinineRatio: Number(row.uacr),
    socialDeprivationDecile: Number(row.sdi),
  };
}

/** `score`, or why not, as the publication's population has it. */
function expectedVerdict(row: Row, years: string): string {
  const age = Number(row.age);
  if (age < 30 || age > (oldest[years] ?? 0)) return 'not-eligible age';
  const outside = ranges.filter(([column, , from, to]) => Number(row[column]) < from || Number(row[column]) > to);
  return outside.length === 0 ? 'score' : `out-of-range ${outside.map(([, input]) => input).join(' ')}`;
}

function foundVerdict(outcome: ReadOutcome | undefined): string {
  if (outcome === undefined) return 'no answer';
  return 'probability' in outcome
    ? outcome.state
    : `${outcome.state} ${outcome.reasons.toSorted((one, other) => order(one) - order(other)).join(' ')}`;
}

const order = (input: string): number => ranges.findIndex(([, name]) => name === input);

function probabilityOf(answer: Parameters<typeof readOutcomes>[0], id = 'total-cvd-10y'): number {
  const outcome = readOutcomes(answer).get(id);
  if (outcome === undefined || !('probability' in outcome)) throw new Error(`${id} has no probability: ${answer.text}`);
  return outcome.probability;
}

const logit = (probability: number) => Math.log(probability / (1 - probability));

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ models: ['prevent-full'] });
  const stored = await send(`${server.fhir}/Patient/empty`, 'PUT', { resourceType: 'Patient', id: 'empty' });
  expect(stored.status).toBe(201);
});
afterAll(() => server?.close());

const asserted = (inputs: Record<string, number | boolean | string>) =>
  predictOverHttp(server.fhir, 'empty', { model: 'prevent-full', inputs });

describe.skipIf(!casesPresent)('the full equations of PREVENT through $predict, every input asserted', () => {
  it('every full row: the value within 1e-6 inside the population, an abstention that names the input outside', async () => {
    const people = new Map(readCsv('equations/prevent/inputs.csv').map((row) => [row.case_id, row]));
    const rows = readCsv('equations/prevent/expected.csv').filter(({ model }) => model === 'full');
    expect(rows.length).toBeGreaterThan(140);
    const answers = new Map<string, ReturnType<typeof readOutcomes>>();
    const problems: string[] = [];
    const seen = new Map<string, number>();
    for (const row of rows) {
      const person = people.get(row.case_id ?? '');
      const years = row.horizon_years ?? '';
      if (person === undefined) throw new Error(`inputs.csv has no ${row.case_id}`);
      const id = row.case_id ?? '';
      const answer = answers.get(id) ?? readOutcomes(await asserted(inputsOf(person)));
      answers.set(id, answer);
      const wanted = expectedVerdict(person, years);
      const state = wanted.split(' ')[0] ?? '';
      seen.set(state, (seen.get(state) ?? 0) + 1);
      for (const name of outcomes) {
        const outcome = answer.get(idOf(name, years));
        if (foundVerdict(outcome) !== wanted)
          problems.push(`${id} ${name} ${years}: ${foundVerdict(outcome)}, expected ${wanted}`);
        if (outcome === undefined || !('probability' in outcome)) continue;
        const difference = Math.abs(outcome.probability - Number(row[name]));
        if (!(difference <= 1e-6)) problems.push(`${id} ${name} ${years}: off by ${difference}`);
      }
    }
    expect(problems).toEqual([]);
    expect(seen.get('score')).toBeGreaterThan(50);
  });

  it.each([
    ['haemoglobinA1c', 5.3, -0.0230072],
    ['urineAlbuminCreatinineRatio', 1, 0.1095674],
    ['socialDeprivationDecile', 1, 0.144759],
  ])(
    'without %s the risk is that with %d and the published coefficient for its absence',
    async (name, neutral, coefficient) => {
      const man = readCsv('equations/prevent/inputs.csv').find(
        (row) => row.sex === 'male' && expectedVerdict(row, '30') === 'score',
      );
      if (man === undefined) throw new Error('no man inside the population');
      const { [name]: _, ...without } = inputsOf(man);
      const missing = await asserted(without);
      const known = await asserted({ ...without, [name]: neutral });
      expect(logit(probabilityOf(missing)) - logit(probabilityOf(known))).toBeCloseTo(coefficient, 6);
      expect(readInputs(missing).get(name)).toMatchObject({ state: 'missing', value: undefined });
      expect(readInputs(known).get(name)).toMatchObject({ state: 'asserted', value: neutral });
    },
  );
});

describe('the full equations of PREVENT from a record', () => {
  async function predict(id: string, resources: readonly Resource[], inputs = {}) {
    const stored = await send(
      server.fhir,
      'POST',
      transactionOf([...scorablePatient(id), ...resources], { fullUrls: false }),
    );
    expect(stored.status, stored.text).toBe(200);
    return predictOverHttp(server.fhir, id, { model: 'prevent-full', asOf: '2026-03-01T12:00:00Z', inputs });
  }
  const noteOf = (answer: { readonly text: string }) => answer.text;
  const withQuantity = (result: Resource, quantity: Partial<Quantity>): Resource => {
    const { valueQuantity } = result as { valueQuantity?: Quantity };
    return { ...result, valueQuantity: { ...valueQuantity, ...quantity } } as Resource;
  };

  it('says of each of the three that it was given as missing, and speaks', async () => {
    const answer = await predict('none', []);
    const inputs = readInputs(answer);
    for (const name of ['haemoglobinA1c', 'urineAlbuminCreatinineRatio', 'socialDeprivationDecile'])
      expect(inputs.get(name), name).toMatchObject({ state: 'missing', value: undefined });
    expect(noteOf(answer).match(/; given to the model as missing: Khan 2023/g)?.length).toBeGreaterThanOrEqual(3);
    expect(probabilityOf(answer)).toBeGreaterThan(0);
  });

  it('takes HbA1c in mmol/mol and the ratio in mg/mmol for what they are in % and mg/g', async () => {
    const found = await predict('si', [
      laboratoryResult('si', 'hba1c', '59261-8', 50, 'mmol/mol'),
      laboratoryResult('si', 'uacr', '14959-1', 10, 'mg/mmol'),
    ]);
    const inputs = readInputs(found);
    expect(inputs.get('haemoglobinA1c')).toMatchObject({ state: 'derived', unit: '%' });
    expect(inputs.get('haemoglobinA1c')?.value).toBeCloseTo(6.726, 9);
    expect(inputs.get('urineAlbuminCreatinineRatio')?.value).toBeCloseTo(88.4, 9);
    const same = await predict('si2', [], { haemoglobinA1c: 6.726, urineAlbuminCreatinineRatio: 88.4 });
    expect(probabilityOf(found)).toBeCloseTo(probabilityOf(same), 9);
  });

  it('takes a ratio given as below 3 mg/mmol for that limit', async () => {
    const result = laboratoryResult('limit', 'uacr', '14959-1', 3, 'mg/mmol');
    const inputs = readInputs(await predict('limit', [withQuantity(result, { comparator: '<' })]));
    expect(inputs.get('urineAlbuminCreatinineRatio')?.value).toBeCloseTo(26.52, 9);
  });

  it.each<[string, Resource, string]>([
    [
      'a ratio above a limit',
      withQuantity(laboratoryResult('doubt-0', 'uacr', '14959-1', 300, 'mg/g'), { comparator: '>' }),
      'urineAlbuminCreatinineRatio:comparator',
    ],
    [
      'an HbA1c without a unit',
      withQuantity(laboratoryResult('doubt-1', 'hba1c', '4548-4', 7, '%'), {
        unit: undefined,
        code: undefined,
        system: undefined,
      }),
      'reportedHaemoglobinA1c:unit-missing',
    ],
    [
      'an HbA1c of the IFCC scale in %',
      laboratoryResult('doubt-2', 'hba1c', '59261-8', 5, '%'),
      'ifccHaemoglobinA1c:unconvertible',
    ],
  ])('never takes %s for one that was not measured', async (_, resource, reason) => {
    const id = String(resource.id).replace(/-(uacr|hba1c)$/, '');
    const answer = await predict(id, [resource]);
    const outcome = readOutcomes(answer).get('total-cvd-10y');
    expect(outcome).toMatchObject({ state: 'insufficient-data' });
    expect(outcome !== undefined && 'reasons' in outcome ? outcome.reasons : []).toContain(reason);
  });
});
