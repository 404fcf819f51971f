import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casesPresent, readCsv } from '../support/cases.ts';
import { send } from '../support/fhir-test-server.ts';
import { predictOverHttp, type ReadOutcome, readInputs, readOutcomes } from '../support/predict-call.ts';
import { diagnosis, laboratoryResult, scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

/** One person of an equation: numbers by the column names of the cases. */
type Person = Readonly<Record<string, number | string>>;

interface Rule {
  readonly column: string;
  readonly input: string;
  readonly from: number;
  readonly to?: number;
  readonly below?: number;
}

/** The populations as published, written down here a second time: nothing of the server's own rules is used. */
const ages = { '10': [30, 79], '30': [30, 59], pce: [40, 79], kfre: [18, 130] } as const;
const cholesterol: readonly Rule[] = [
  { column: 'total_c', input: 'totalCholesterol', from: 130, to: 320 },
  { column: 'hdl_c', input: 'hdlCholesterol', from: 20, to: 100 },
];
const preventRanges: readonly Rule[] = [
  ...cholesterol,
  { column: 'sbp', input: 'systolicBloodPressure', from: 90, to: 180 },
  { column: 'bmi', input: 'bodyMassIndex', from: 18.5, below: 40 },
  { column: 'egfr', input: 'estimatedGfr', from: 15, to: 140 },
];
const pceRanges: readonly Rule[] = [
  ...cholesterol,
  { column: 'sbp', input: 'systolicBloodPressure', from: 90, to: 200 },
];
const kfreRanges: readonly Rule[] = [{ column: 'egfr', input: 'estimatedGfr', from: 10, below: 60 }];

const preventOutcomes = {
  total_cvd: 'total-cvd',
  ascvd: 'ascvd',
  heart_failure: 'heart-failure',
  chd: 'chd',
  stroke: 'stroke',
};

function expectedVerdict(
  person: Person,
  age: readonly [number, number],
  ranges: readonly Rule[],
): { state: string; reasons: string[] } {
  const years = Number(person.age);
  if (years < age[0] || years > age[1]) return { state: 'not-eligible', reasons: ['age'] };
  const outside = ranges.filter(({ column, from, to, below }) => {
    const value = Number(person[column]);
    return value < from || (to !== undefined && value > to) || (below !== undefined && value >= below);
  });
  const reasons = outside.map(({ input }) => input).sort();
  return reasons.length > 0 ? { state: 'out-of-range', reasons } : { state: 'score', reasons };
}

/** The same shape for the answer; a probability is left out. */
function foundVerdict(outcome: ReadOutcome | undefined): { state: string; reasons: string[] } {
  return {
    state: outcome?.state ?? 'no answer',
    reasons: outcome !== undefined && 'reasons' in outcome ? [...outcome.reasons].sort() : [],
  };
}

const kfreOutcomes = [2, 5].flatMap((years) =>
  ['north-america', 'other-regions'].map((region) => `kidney-failure-${years}y-${region}`),
);

function shared(person: Person): Record<string, number | boolean | string> {
  return {
    age: Number(person.age),
    sex: String(person.sex),
    totalCholesterol: Number(person.total_c),
    hdlCholesterol: Number(person.hdl_c),
    systolicBloodPressure: Number(person.sbp),
    antihypertensiveMedication: person.bp_tx === '1',
    diabetes: person.dm === '1',
    currentSmoker: person.smoking === '1',
    priorCardiovascularDisease: false,
  };
}

/** Values just outside and just inside each limit. */
function nearLimits(ranges: readonly Rule[], ageLimits: readonly number[]): { column: string; value: number }[] {
  const near = ranges.flatMap(({ column, from, to, below }) => {
    const step = column === 'bmi' ? 0.1 : 1;
    const high = to === undefined ? [(below ?? 0) - step, below ?? 0] : [to, to + step];
    return [from - step, from, ...high].map((value) => ({ column, value }));
  });
  return [...ageLimits.map((value) => ({ column: 'age', value })), ...near];
}

describe.skipIf(!casesPresent)('published equations through $predict, every input asserted', () => {
  let server: StartedFhirsight;
  beforeAll(async () => {
    server = await startFhirsight({ models: 'published' });
    const stored = await send(`${server.fhir}/Patient/empty`, 'PUT', { resourceType: 'Patient', id: 'empty' });
    expect(stored.status).toBe(201);
  });
  afterAll(() => server?.close());

  const prevent = (person: Person) =>
    predictOverHttp(server.fhir, 'empty', {
      model: 'prevent-base',
      inputs: {
        ...shared(person),
        bodyMassIndex: Number(person.bmi),
        estimatedGfr: Number(person.egfr),
        statinMedication: person.statin === '1',
      },
    });
  const pce = (person: Person) =>
    predictOverHttp(server.fhir, 'empty', {
      model: 'pce-2013',
      inputs: { ...shared(person), race: String(person.race) },
    });
  const kfre = (person: Person, more: Readonly<Record<string, boolean>> = {}) =>
    predictOverHttp(server.fhir, 'empty', {
      model: 'kfre-4',
      inputs: {
        age: Number(person.age),
        sex: String(person.male) === '1' ? 'male' : 'female',
        estimatedGfr: Number(person.egfr),
        urineAlbuminCreatinineRatio: Number(person.uacr_mg_g),
        priorKidneyFailure: false,
        ...more,
      },
    });

  /** What an answer about one horizon of PREVENT gets wrong. */
  function preventProblems(person: Person, horizon: '10' | '30', outcomes: ReadonlyMap<string, ReadOutcome>): string[] {
    const wanted = JSON.stringify(expectedVerdict(person, ages[horizon], preventRanges));
    return Object.values(preventOutcomes).flatMap((outcome) => {
      const found = JSON.stringify(foundVerdict(outcomes.get(`${outcome}-${horizon}y`)));
      return found === wanted ? [] : [`${JSON.stringify(person)} ${outcome} ${horizon}: ${found}, expected ${wanted}`];
    });
  }

  it('every base row of PREVENT: the value within 1e-6 inside the population, an abstention that names the input outside', async () => {
    const people = new Map(readCsv('equations/prevent/inputs.csv').map((row) => [row.case_id, row]));
    const rows = readCsv('equations/prevent/expected.csv').filter(({ model }) => model === 'base');
    const answers = new Map<string, { status: number; outcomes: Map<string, ReadOutcome> }>();
    const problems: string[] = [];
    const seen = { scored: 0, withheld: 0 };
    for (const row of rows) {
      const person = people.get(row.case_id ?? '');
      if (person === undefined) throw new Error(`inputs.csv has no ${row.case_id}`);
      const id = row.case_id ?? '';
      const horizon = row.horizon_years === '30' ? '30' : '10';
      let answer = answers.get(id);
      if (answer === undefined) {
        const given = await prevent(person);
        answer = { status: given.status, outcomes: readOutcomes(given) };
        answers.set(id, answer);
      }
      problems.push(...preventProblems(person, horizon, answer.outcomes));
      const scores = expectedVerdict(person, ages[horizon], preventRanges).state === 'score';
      seen[scores ? 'scored' : 'withheld'] += 1;
      for (const [column, outcome] of Object.entries(preventOutcomes)) {
        const found = answer.outcomes.get(`${outcome}-${horizon}y`);
        if (!scores || found === undefined || !('probability' in found)) continue;
        const difference = Math.abs(found.probability - Number(row[column]));
        if (!(difference <= 1e-6)) problems.push(`${id} ${outcome} ${horizon}: off by ${difference}`);
      }
    }
    expect(problems).toEqual([]);
    expect(seen.scored + seen.withheld).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(300);
    expect(seen.withheld).toBeGreaterThan(0);
    expect([...answers.values()].every(({ outcomes }) => outcomes.size === 10)).toBe(true);
  });

  it('every row of the Pooled Cohort Equations: the value within 2e-5 inside the population, an abstention outside', async () => {
    const rows = readCsv('equations/pce/expected.csv');
    const problems: string[] = [];
    for (const row of rows) {
      const outcome = readOutcomes(await pce(row)).get('ascvd-10y');
      const wanted = JSON.stringify(expectedVerdict(row, ages.pce, pceRanges));
      const found = JSON.stringify(foundVerdict(outcome));
      if (found !== wanted) problems.push(`${row.case_id}: ${found}, expected ${wanted}`);
      if (outcome === undefined || !('probability' in outcome)) continue;
      const difference = Math.abs(outcome.probability - Number(row.pce_2013));
      if (!(difference <= 2e-5)) problems.push(`${row.case_id}: off by ${difference}`);
    }
    expect(problems).toEqual([]);
    expect(rows.length).toBeGreaterThan(250);
  });

  it('every row of the Kidney Failure Risk Equation: the value within 2e-6 inside the population, an abstention that names the input outside', async () => {
    const rows = readCsv('equations/kfre/expected.csv');
    const answers = new Map<string, Map<string, ReadOutcome>>();
    const problems: string[] = [];
    const seen = { scored: 0, withheld: 0 };
    for (const row of rows) {
      const person = JSON.stringify([row.age, row.male, row.egfr, row.uacr_mg_g]);
      const outcomes = answers.get(person) ?? readOutcomes(await kfre(row));
      answers.set(person, outcomes);
      const region = row.north_american === '1' ? 'north-america' : 'other-regions';
      const outcome = outcomes.get(`kidney-failure-${row.years}y-${region}`);
      const wanted = JSON.stringify(expectedVerdict(row, ages.kfre, kfreRanges));
      const found = JSON.stringify(foundVerdict(outcome));
      if (found !== wanted) problems.push(`${row.case_id}: ${found}, expected ${wanted}`);
      seen[expectedVerdict(row, ages.kfre, kfreRanges).state === 'score' ? 'scored' : 'withheld'] += 1;
      if (outcome === undefined || !('probability' in outcome)) continue;
      const difference = Math.abs(outcome.probability - Number(row.expected_4var));
      if (!(difference <= 2e-6)) problems.push(`${row.case_id}: off by ${difference}`);
    }
    expect(problems).toEqual([]);
    expect([...answers.values()].every(({ size }) => size === kfreOutcomes.length)).toBe(true);
    expect(seen.scored).toBeGreaterThan(100);
    expect(seen.withheld).toBeGreaterThan(0);
  });

  it('a PREVENT row moved to either side of each limit: scored on it, withheld beyond it, with every input that is outside named', async () => {
    const base = readCsv('equations/prevent/inputs.csv').find(({ age }) => Number(age) >= 30 && Number(age) <= 59);
    if (base === undefined) throw new Error('no row inside the 30-year population');
    const moved: Person[] = nearLimits(preventRanges, [29, 30, 59, 60, 79, 80]).map(({ column, value }) => ({
      ...base,
      [column]: value,
    }));
    const several: Person[] = [
      { ...base, sbp: 181, bmi: 40, egfr: 14 },
      { ...base, age: 65, total_c: 129, hdl_c: 101 },
      { ...base, age: 80, sbp: 60 },
    ];
    const problems: string[] = [];
    const statuses = new Set<string>();
    for (const person of [...moved, ...several]) {
      const answer = await prevent(person);
      const outcomes = readOutcomes(answer);
      const states = (['10', '30'] as const).map(
        (horizon) => expectedVerdict(person, ages[horizon], preventRanges).state,
      );
      const status = states.includes('score') ? 200 : 422;
      if (answer.status !== status) problems.push(`${JSON.stringify(person)}: ${answer.status}, expected ${status}`);
      problems.push(...preventProblems(person, '10', outcomes), ...preventProblems(person, '30', outcomes));
      statuses.add(`${status} ${states.join(' ')}`);
    }
    expect(problems).toEqual([]);
    expect([...statuses].sort()).toEqual([
      '200 score not-eligible',
      '200 score score',
      '422 not-eligible not-eligible',
      '422 out-of-range not-eligible',
      '422 out-of-range out-of-range',
    ]);
  });

  it('a row of the Pooled Cohort Equations moved to either side of each limit', async () => {
    const [base] = readCsv('equations/pce/expected.csv');
    if (base === undefined) throw new Error('the cases hold no row');
    const problems: string[] = [];
    for (const { column, value } of nearLimits(pceRanges, [39, 40, 79, 80])) {
      const person: Person = { ...base, [column]: value };
      const answer = await pce(person);
      const wanted = expectedVerdict(person, ages.pce, pceRanges);
      const found = foundVerdict(readOutcomes(answer).get('ascvd-10y'));
      const asWanted =
        JSON.stringify(found) === JSON.stringify(wanted) && answer.status === (wanted.state === 'score' ? 200 : 422);
      if (!asWanted)
        problems.push(
          `${column} ${value}: ${answer.status} ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`,
        );
    }
    expect(problems).toEqual([]);
  });

  it('a row of the Kidney Failure Risk Equation moved to either side of each limit', async () => {
    const base = readCsv('equations/kfre/expected.csv').find(({ egfr }) => Number(egfr) >= 10);
    if (base === undefined) throw new Error('the cases hold no row inside the population');
    const problems: string[] = [];
    for (const { column, value } of nearLimits(kfreRanges, [17, 18, 130])) {
      const person: Person = { ...base, [column]: value };
      const answer = await kfre(person);
      const outcomes = readOutcomes(answer);
      const wanted = expectedVerdict(person, ages.kfre, kfreRanges);
      const asWanted =
        answer.status === (wanted.state === 'score' ? 200 : 422) &&
        kfreOutcomes.every((id) => JSON.stringify(foundVerdict(outcomes.get(id))) === JSON.stringify(wanted));
      if (!asWanted) problems.push(`${column} ${value}: ${answer.text}, expected ${JSON.stringify(wanted)}`);
    }
    expect(problems).toEqual([]);
  });

  it('after dialysis or a kidney transplant the Kidney Failure Risk Equation is for nobody', async () => {
    const [base] = readCsv('equations/kfre/expected.csv').slice(4);
    const answer = await kfre({ ...base }, { priorKidneyFailure: true });
    expect(answer.status).toBe(422);
    const outcomes = readOutcomes(answer);
    for (const id of kfreOutcomes)
      expect(foundVerdict(outcomes.get(id))).toEqual({ state: 'not-eligible', reasons: ['kidney_failure'] });
  });

  it('an albumin-creatinine ratio of 0, which has no logarithm, is refused and named', async () => {
    const [base] = readCsv('equations/kfre/expected.csv').slice(4);
    const answer = await kfre({ ...base, uacr_mg_g: 0 });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("Input 'urineAlbuminCreatinineRatio' is 0 mg/g, outside the plausible 0.1 to");
  });

  it('a race the Pooled Cohort Equations do not know is not eligible, and the text names race', async () => {
    const [base] = readCsv('equations/pce/expected.csv');
    const answer = await pce({ ...base, race: 'other' });
    expect(answer.status).toBe(422);
    expect(foundVerdict(readOutcomes(answer).get('ascvd-10y'))).toEqual({ state: 'not-eligible', reasons: ['race'] });
  });
});

describe('the Kidney Failure Risk Equation from a record', () => {
  let server: StartedFhirsight;
  beforeAll(async () => {
    server = await startFhirsight({ models: 'published' });
  });
  afterAll(() => server?.close());

  /** A man of 57 with a visit in January 2026, and these resources instead of the results of the other models. */
  async function predict(id: string, resources: readonly Resource[]) {
    const stored = await send(
      server.fhir,
      'POST',
      transactionOf([...scorablePatient(id).slice(0, 2), ...resources], { fullUrls: false }),
    );
    expect(stored.status, stored.text).toBe(200);
    return predictOverHttp(server.fhir, id, { model: 'kfre-4', asOf: '2026-03-01T12:00:00Z' });
  }
  const gfr = 'mL/min/{1.73_m2}';
  const reported = (id: string, value: number, at?: string) => laboratoryResult(id, 'gfr', '98979-8', value, gfr, at);
  const creatinine = (id: string) => laboratoryResult(id, 'creatinine', '2160-0', 1.9, 'mg/dL');
  const ratio = (id: string) => laboratoryResult(id, 'ratio', '9318-7', 10, 'mg/mmol');

  it('takes the reported eGFR before the calculated one, and a ratio in mg/mmol as mg/g', async () => {
    const answer = await predict('reported', [reported('reported', 31), creatinine('reported'), ratio('reported')]);
    const inputs = readInputs(answer);
    expect(inputs.get('estimatedGfr')).toMatchObject({ state: 'derived', value: 31 });
    expect(inputs.get('urineAlbuminCreatinineRatio')).toMatchObject({ state: 'observed', unit: 'mg/g' });
    expect(inputs.get('urineAlbuminCreatinineRatio')?.value).toBeCloseTo(88.4, 9);
    expect(inputs.get('priorKidneyFailure')).toMatchObject({ state: 'assumed-absent', value: false });
    const predictor =
      -0.2201 * (5.7 - 7.036) + 0.2467 * (1 - 0.5642) - 0.5567 * (31 / 5 - 7.222) + 0.451 * (Math.log(88.4) - 5.137);
    const expected = [0.975, 0.9832, 0.924, 0.9365].map((baseline) => 1 - baseline ** Math.exp(predictor));
    const outcomes = readOutcomes(answer);
    kfreOutcomes.forEach((id, index) => {
      const outcome = outcomes.get(id);
      if (outcome === undefined || !('probability' in outcome)) throw new Error(`${id} has no probability`);
      expect(outcome.probability).toBeCloseTo(expected[index] ?? Number.NaN, 9);
    });
  });

  it('calculates the eGFR where none was reported within a year', async () => {
    const old = reported('calculated', 31, '2025-01-10T08:30:00Z');
    const answer = await predict('calculated', [old, creatinine('calculated'), ratio('calculated')]);
    // CKD-EPI 2021 of a man of 57
    const expected = 142 * (1.9 / 0.9) ** -1.2 * 0.9938 ** 57;
    expect(readInputs(answer).get('estimatedGfr')?.value).toBeCloseTo(expected, 9);
  });

  it('does not fall back on creatinine from a reported eGFR that is only a limit', async () => {
    const limit = reported('limit', 60);
    const answer = await predict('limit', [
      { ...limit, valueQuantity: { ...limit.valueQuantity, comparator: '>' } } as Resource,
      creatinine('limit'),
      ratio('limit'),
    ]);
    expect(foundVerdict(readOutcomes(answer).get(kfreOutcomes[0] ?? ''))).toEqual({
      state: 'insufficient-data',
      reasons: ['reportedGfr:comparator'],
    });
  });

  it.each([
    ['105502003', 'Dependence on renal dialysis', 'not-eligible', 'kidney_failure'],
    ['161665007', 'History of renal transplant', 'not-eligible', 'kidney_failure'],
    ['698306007', 'Awaiting transplantation of kidney', 'insufficient-data', 'priorKidneyFailure:undecodable'],
  ])('with the diagnosis %s, %s: %s', async (code, display, state, reason) => {
    const id = `diagnosed-${code}`;
    const answer = await predict(id, [
      reported(id, 31),
      ratio(id),
      {
        ...diagnosis(id, 'diagnosis', code, '2020-01-01'),
        code: { coding: [{ system: 'http://snomed.info/sct', code, display }] },
      },
    ]);
    expect(foundVerdict(readOutcomes(answer).get(kfreOutcomes[0] ?? ''))).toEqual({ state, reasons: [reason] });
  });
});
