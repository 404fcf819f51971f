import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casesPresent, readCsv } from '../support/cases.ts';
import { send } from '../support/fhir-test-server.ts';
import { predictOverHttp, type ReadOutcome, readOutcomes } from '../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

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
const ages = { '10': [30, 79], '30': [30, 59], pce: [40, 79] } as const;
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
    server = await startFhirsight();
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

  it('a race the Pooled Cohort Equations do not know is not eligible, and the text names race', async () => {
    const [base] = readCsv('equations/pce/expected.csv');
    const answer = await pce({ ...base, race: 'other' });
    expect(answer.status).toBe(422);
    expect(foundVerdict(readOutcomes(answer).get('ascvd-10y'))).toEqual({ state: 'not-eligible', reasons: ['race'] });
  });
});
