import type { Address, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casesPresent, readCsv } from '../support/cases.ts';
import { send } from '../support/fhir-test-server.ts';
import { predictOverHttp, type ReadOutcome, readInputs, readOutcomes } from '../support/predict-call.ts';
import { diagnosis, laboratoryResult, scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ models: ['score2'] });
});
afterAll(() => server?.close());

/** The ages of each outcome as published, written down here a second time. */
const agesOf: Readonly<Record<string, readonly [number, number]>> = {
  'cvd-10y-40-49': [40, 49],
  'cvd-10y-50-69': [50, 69],
  'cvd-10y-70-89': [70, 89],
};

function said(outcome: ReadOutcome | undefined): string {
  if (outcome === undefined) return 'no answer';
  return 'reasons' in outcome ? `${outcome.state} ${outcome.reasons.join(' ')}` : outcome.state;
}

describe.skipIf(!casesPresent)('SCORE2 through $predict, every input asserted', () => {
  type Person = Readonly<Record<string, string>>;
  const asserted = (row: Person, more: Readonly<Record<string, boolean | number>> = {}) =>
    predictOverHttp(server.fhir, 'empty', {
      model: 'score2',
      inputs: {
        age: Number(row.age),
        sex: String(row.sex),
        region: String(row.region).toLowerCase().replace(' ', '-'),
        currentSmoker: row.smoker === '1',
        systolicBloodPressure: Number(row.sbp),
        totalCholesterol: Number(row.total_chol_mmol),
        hdlCholesterol: Number(row.hdl_mmol),
        diabetes: row.diabetes === '1',
        priorCardiovascularDisease: false,
        ...more,
      },
    });
  beforeAll(async () => {
    const stored = await send(`${server.fhir}/Patient/empty`, 'PUT', { resourceType: 'Patient', id: 'empty' });
    expect(stored.status).toBe(201);
  });

  it('every row: the risk within 0.051 percentage points by the equation of the age, and no other', async () => {
    const problems: string[] = [];
    const rows = readCsv('equations/score2/expected.csv');
    for (const row of rows) {
      const outcomes = readOutcomes(await asserted(row));
      for (const [id, [from, to]] of Object.entries(agesOf)) {
        const outcome = outcomes.get(id);
        const isInside = Number(row.age) >= from && Number(row.age) <= to;
        const wanted = isInside ? 'score' : 'not-eligible age';
        if (said(outcome) !== wanted) problems.push(`${row.case_id} ${id}: ${said(outcome)}, expected ${wanted}`);
        if (outcome === undefined || !('probability' in outcome)) continue;
        const difference = Math.abs(outcome.probability * 100 - Number(row.expected_pct));
        if (!(difference <= 0.051)) problems.push(`${row.case_id} ${id}: off by ${difference} percentage points`);
      }
    }
    expect(problems).toEqual([]);
    expect(rows.length).toBeGreaterThan(100);
  });

  it.each([39, 40, 49, 50, 69, 70, 89, 90])('at the age of %i at most one outcome is given', async (age) => {
    const [row = {}] = readCsv('equations/score2/expected.csv');
    const answer = await asserted(row, { age });
    const given = [...readOutcomes(answer)].filter(([, { state }]) => state === 'score').map(([id]) => id);
    const wanted = Object.keys(agesOf).filter((id) => age >= (agesOf[id]?.[0] ?? 0) && age <= (agesOf[id]?.[1] ?? 0));
    expect(given).toEqual(wanted);
    expect(answer.status).toBe(wanted.length === 0 ? 422 : 200);
  });

  it('diabetes excludes before 70 and weighs from then on', async () => {
    const [row = {}] = readCsv('equations/score2/expected.csv');
    const younger = await asserted(row, { age: 69, diabetes: true });
    expect(said(readOutcomes(younger).get('cvd-10y-50-69'))).toBe('not-eligible diabetes');
    const [without, having] = [false, true].map((diabetes) => asserted(row, { age: 75, diabetes }));
    const risk = async (answer: typeof without) => {
      const outcome = answer && readOutcomes(await answer).get('cvd-10y-70-89');
      return outcome !== undefined && 'probability' in outcome ? outcome.probability : Number.NaN;
    };
    expect(await risk(having)).toBeGreaterThan((await risk(without)) + 0.02);
  });
});

describe('SCORE2 from a record', () => {
  const moderate = 'cvd-10y-50-69';

  /** A man of 57, who does not smoke, with a visit in January 2026. */
  async function predict(id: string, address: Address[], options: { more?: Resource[]; region?: string } = {}) {
    const [patient, ...others] = scorablePatient(id, address.length === 0 ? {} : { address });
    const resources = [patient, ...others, ...(options.more ?? [])] as Resource[];
    const stored = await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: false }));
    expect(stored.status, stored.text).toBe(200);
    const { region } = options;
    return predictOverHttp(server.fhir, id, {
      model: 'score2',
      asOf: '2026-03-01T12:00:00Z',
      ...(region === undefined ? {} : { inputs: { region } }),
    });
  }

  it('takes the region of the country where the patient lives, and cholesterol in mg/dL as mmol/L', async () => {
    const answer = await predict('german', [
      { use: 'home', country: 'DE' },
      { use: 'billing', country: 'RU' },
    ]);
    const inputs = readInputs(answer);
    expect(inputs.get('region')).toMatchObject({ state: 'derived', value: 'moderate' });
    expect(inputs.get('totalCholesterol')?.value).toBeCloseTo(213.456 / 38.67, 9);
    expect(inputs.get('diabetes')).toMatchObject({ state: 'assumed-absent', value: false });
    // A man of 57: SCORE2 step by step.
    const [age, pressure, total, hdl] = [-3 / 5, (151 - 120) / 20, 213.456 / 38.67 - 6, (47 / 38.67 - 1.3) / 0.5];
    const predictor =
      0.3742 * age +
      pressure * (0.2777 - 0.0255 * age) +
      total * (0.1458 - 0.0281 * age) +
      hdl * (-0.2698 + 0.0426 * age);
    const uncalibrated = 1 - 0.9605 ** Math.exp(predictor);
    const expected = 1 - Math.exp(-Math.exp(-0.1565 + 0.8009 * Math.log(-Math.log(1 - uncalibrated))));
    const outcome = readOutcomes(answer).get(moderate);
    expect(outcome).toMatchObject({ state: 'score' });
    if (outcome !== undefined && 'probability' in outcome) expect(outcome.probability).toBeCloseTo(expected, 9);
    const [prediction] = (answer.body as RiskAssessment).prediction ?? [];
    expect(JSON.stringify(prediction?.qualitativeRisk)).toContain('High risk (5 % to below 10 %)');
  });

  it.each<[string, Address[], string]>([
    ['no address', [], 'region:not-found'],
    ['an address without a country', [{ use: 'home', city: 'Lyon' }], 'region:not-found'],
    ['a country of no region', [{ country: 'US' }], 'region:not-in-table'],
    ['the name of a country', [{ country: 'Deutschland' }], 'region:not-in-table'],
    ['an address of another time', [{ country: 'DE', period: { end: '2025-12-31' } }], 'region:not-found'],
    [
      'only an old address of a Patient that has changed since',
      [{ use: 'old', country: 'DE' }],
      'region:status-at-time-unknown',
    ],
    ['homes in two regions', [{ country: 'DE' }, { country: 'FR' }], 'region:conflict'],
  ])('gives no risk with %s', async (what, address, reason) => {
    const answer = await predict(`lives-${what.replaceAll(' ', '-').slice(0, 40)}`, address);
    expect(answer.status).toBe(422);
    expect(said(readOutcomes(answer).get(moderate))).toBe(`insufficient-data ${reason}`);
  });

  it('takes the region that the caller asserts', async () => {
    const answer = await predict('asserted', [], { region: 'very-high' });
    expect(said(readOutcomes(answer).get(moderate))).toBe('score');
    expect(readInputs(answer).get('region')).toMatchObject({ state: 'asserted', value: 'very-high' });
  });

  it.each([
    ['44054006', 'Diabetes mellitus type 2', 'not-eligible diabetes'],
    ['266257000', 'Transient ischaemic attack', 'not-eligible prior_cvd'],
    ['195967001', 'Asthma', 'score'],
  ])('with the diagnosis %s, %s: %s', async (code, display, wanted) => {
    const id = `diagnosed-${code}`;
    const answer = await predict(id, [{ country: 'FRA' }], {
      more: [
        {
          ...diagnosis(id, 'diagnosis', code, '2020-01-01'),
          code: { coding: [{ system: 'http://snomed.info/sct', code, display }] },
        },
      ],
    });
    expect(said(readOutcomes(answer).get(moderate))).toBe(wanted);
  });

  it('does not take cholesterol in an unknown unit for mmol/L', async () => {
    const id = 'unit';
    const newest = laboratoryResult(id, 'newest', '2093-3', 5.5, 'g', '2026-02-01T08:30:00Z');
    const answer = await predict(id, [{ country: 'FR' }], { more: [newest] });
    expect(said(readOutcomes(answer).get(moderate))).toBe('insufficient-data totalCholesterol:unconvertible');
  });
});
