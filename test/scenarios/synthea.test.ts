import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { createFhirClient } from '../../src/fhir/client/fhir-client.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { gatherRecord } from '../../src/records/gather-record.ts';
import { createHttpRecordSource } from '../../src/records/http-record-source.ts';
import { casesPresent, readCsv } from '../support/cases.ts';
import { type Comparison, compareFeatures, missingOf, type Row } from '../support/compare-features.ts';
import {
  booleanColumns,
  everyColumnModel,
  everyColumnModels,
  observationColumns,
} from '../support/every-column-model.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import type { ModelFolder } from '../support/model-folder.ts';
import { outboundTo } from '../support/outbound-to.ts';
import {
  predictOverHttp,
  type ReadInput,
  type ReadOutcome,
  readInputs,
  readOutcomes,
} from '../support/predict-call.ts';
import { type ReadScore, readScores } from '../support/read-scores.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { readSyntheaPatients, type SyntheaPatient } from '../support/synthea-patients.ts';
import { transactionOf } from '../support/transaction-of.ts';

/** Whose newest blood pressure has no unit at all. The expected values take it as it is; fhirsight refuses it. */
const withoutUnit = '9acbf6dd-e2b1-42cd-9a8b-259b519491d6';

/** The reasons of the cases in the words of the shipped models. */
const featureOf: Readonly<Record<string, string>> = { ...observationColumns, egfr: 'estimatedGfr' };

const preventOutcomes = {
  total_cvd: 'total-cvd',
  ascvd: 'ascvd',
  heart_failure: 'heart-failure',
  chd: 'chd',
  stroke: 'stroke',
};

/** One verdict of the cases, and where the answer holds it. */
interface Expected {
  readonly verdict: string;
  readonly why: string;
  readonly values: Readonly<Record<string, string>>;
  readonly tolerance: number;
}

function expectedOf(row: Row): { prevent: Expected[]; pce: Expected[]; ckdEpi: Expected[] } {
  const prevent = (['10', '30'] as const).map((years) => ({
    verdict: row[`prevent${years}`] ?? '',
    why: row[`prevent${years}_why`] ?? '',
    values: Object.fromEntries(
      Object.entries(preventOutcomes).map(([column, id]) => [
        `${id}-${years}y`,
        row[`prevent${years}_${column}`] ?? '',
      ]),
    ),
    tolerance: 1e-6,
  }));
  const pce = {
    verdict: row.pce_2013 ?? '',
    why: row.pce_2013_why ?? '',
    values: { 'ascvd-10y': row.pce_2013_ascvd ?? '' },
    tolerance: 2e-5,
  };
  const ckdEpi = {
    verdict: row.ckd_epi_2021 ?? '',
    why: row.ckd_epi_2021_why ?? '',
    values: { egfr: row.ckd_epi_2021_egfr ?? '' },
    tolerance: 0.006,
  };
  return { prevent, pce: [pce], ckdEpi: [ckdEpi] };
}

/** `deceased`, `prior_cvd`, `age` and `race` stay; `total_c:missing` becomes `totalCholesterol:not-found`. */
function reasonsOf(why: string): string[] {
  return (why === '' ? [] : why.split(';')).map((reason) => {
    const [input = '', because] = reason.split(':');
    const feature = featureOf[input] ?? input;
    return because === undefined ? feature : `${feature}:${missingOf[because] ?? because}`;
  });
}

/** @param outcomes of the answer; their numbers are probabilities, or the values of an Observation */
function verdictProblems(
  answer: Answer,
  outcomes: ReadonlyMap<string, ReadOutcome | ReadScore>,
  expected: readonly Expected[],
): string[] {
  const ids = expected.flatMap(({ values }) => Object.keys(values));
  const problems = [...outcomes.keys()].filter((id) => !ids.includes(id)).map((id) => `${id} was not expected`);
  for (const { verdict, why, values, tolerance } of expected) {
    for (const [id, value] of Object.entries(values)) {
      const found = outcomes.get(id);
      if (found?.state !== verdict) problems.push(`${id} is ${found?.state}, expected ${verdict} (${why})`);
      else if ('reasons' in found) {
        if (found.reasons.join(';') !== reasonsOf(why).join(';'))
          problems.push(`${id}: ${found.reasons.join(';')}, expected ${reasonsOf(why).join(';')}`);
      } else {
        const number = 'probability' in found ? found.probability : 'value' in found ? found.value : Number.NaN;
        if (value === '' || !(Math.abs(number - Number(value)) <= tolerance))
          problems.push(`${id} is ${number}, expected ${value}`);
      }
    }
  }
  const status = expected.some(({ verdict }) => verdict === 'score') ? 200 : 422;
  if (answer.status !== status) problems.push(`status ${answer.status}, expected ${status}`);
  return problems;
}

/** KDIGO, written down a second time. */
function gfrCategory(gfr: number): string {
  const limits: readonly [number, string][] = [
    [90, 'G1'],
    [60, 'G2'],
    [45, 'G3a'],
    [30, 'G3b'],
    [15, 'G4'],
  ];
  return limits.find(([from]) => gfr >= from)?.[1] ?? 'G5';
}

const everyColumn = [...Object.keys(observationColumns), ...Object.keys(booleanColumns), 'age', 'sex', 'race'];
const preventColumns = [
  'sbp',
  'smoking',
  'total_c',
  'hdl_c',
  'creatinine',
  'bmi',
  ...Object.keys(booleanColumns),
  'age',
  'sex',
];
const pceColumns = ['sbp', 'smoking', 'total_c', 'hdl_c', 'diabetes', 'antihypertensive', 'prior_cvd', 'age', 'sex'];
const cellsPerObservation = 4;
const cellsPerRow =
  Object.keys(observationColumns).length * cellsPerObservation + Object.keys(booleanColumns).length + 3;

describe.skipIf(!casesPresent)('119 synthetic patients made by others, loaded over HTTP', () => {
  let models: ModelFolder;
  let server: StartedFhirsight;
  let patients: SyntheaPatient[];
  let stored = 0;
  const features = new Map<string, Row>();
  const risks = new Map<string, Row>();

  beforeAll(async () => {
    models = await everyColumnModels();
    server = await startFhirsight({ settings: { MODELS_DIR: models.modelsDir } });
    patients = readSyntheaPatients();
    for (const row of readCsv('fhir/expected_features.csv')) features.set(row.patient_id ?? '', row);
    for (const row of readCsv('fhir/expected_risks.csv')) risks.set(row.patient_id ?? '', row);
    // Every other patient without fullUrl, so that references by urn:uuid are met both rewritten and as they came.
    for (const [index, { resources }] of patients.entries()) {
      const answer = await send(server.fhir, 'POST', transactionOf(resources, { fullUrls: index % 2 === 0 }), {
        Prefer: 'return=minimal',
      });
      if (answer.status !== 200) throw new Error(`a transaction was answered with ${answer.status}: ${answer.text}`);
      for (const { response } of answer.body.entry) if (response.status.startsWith('201')) stored += 1;
    }
  }, 300_000);
  afterAll(async () => {
    await server?.close();
    await models?.[Symbol.asyncDispose]();
  });

  const rowOf = (rows: ReadonlyMap<string, Row>, id: string): Row => {
    const row = rows.get(id);
    if (row === undefined) throw new Error(`the cases expect nothing of ${id}`);
    return row;
  };
  const predict = (model: string, id: string) =>
    predictOverHttp(server.fhir, id, { model, asOf: rowOf(risks, id).as_of });

  it('takes all 27,533 resources', () => {
    expect(patients.length).toBe(119);
    expect([...features.keys()].sort()).toEqual(patients.map(({ id }) => id).sort());
    expect([...risks.keys()].sort()).toEqual([...features.keys()].sort());
    expect(stored).toBe(27_533);
  });

  it('PREVENT and the Pooled Cohort Equations: verdicts, reasons, values and inputs are the expected ones', async () => {
    const problems: string[] = [];
    const inputs: Comparison = { cells: 0, differences: [] };
    const scored = { prevent: 0, pce: 0 };
    for (const { id } of patients) {
      const row = rowOf(risks, id);
      const expected = expectedOf(row);
      const prevent = await predict('prevent-base', id);
      const pce = await predict('pce-2013', id);
      problems.push(
        ...verdictProblems(prevent, readOutcomes(prevent), expected.prevent).map(
          (problem) => `${id} prevent: ${problem}`,
        ),
      );
      problems.push(...verdictProblems(pce, readOutcomes(pce), expected.pce).map((problem) => `${id} pce: ${problem}`));
      if (prevent.status === 200) {
        scored.prevent += 1;
        compareFeatures(inputs, rowOf(features, id), readInputs(prevent), preventColumns);
        const egfr = readInputs(prevent).get('estimatedGfr')?.value;
        if (!(Math.abs(Number(egfr) - Number(row.ckd_epi_2021_egfr)) <= 0.006))
          problems.push(`${id} eGFR is ${egfr}, expected ${row.ckd_epi_2021_egfr}`);
      }
      if (pce.status === 200) {
        scored.pce += 1;
        compareFeatures(inputs, rowOf(features, id), readInputs(pce), pceColumns);
      }
    }
    expect(problems).toEqual([]);
    expect(inputs.differences).toEqual([]);
    const all = [...risks.values()];
    expect(scored).toEqual({
      prevent: all.filter(({ prevent10, prevent30 }) => prevent10 === 'score' || prevent30 === 'score').length,
      pce: all.filter(({ pce_2013 }) => pce_2013 === 'score').length,
    });
    const cellsOf = (columns: readonly string[]): number =>
      columns.reduce((sum, column) => sum + (column in observationColumns ? cellsPerObservation : 1), 0);
    expect(inputs.cells).toBe(scored.prevent * cellsOf(preventColumns) + scored.pce * cellsOf(pceColumns));
  });

  it('CKD-EPI 2021: verdicts, reasons, values and inputs are the expected ones, and the category is that of the value', async () => {
    const problems: string[] = [];
    const inputs: Comparison = { cells: 0, differences: [] };
    let scored = 0;
    for (const { id } of patients) {
      const row = rowOf(risks, id);
      const answer = await predict('ckd-epi-2021', id);
      const scores = readScores(answer);
      const category = scores.get('gfr-category');
      scores.delete('gfr-category');
      problems.push(...verdictProblems(answer, scores, expectedOf(row).ckdEpi).map((problem) => `${id}: ${problem}`));
      if (answer.status !== 200) continue;
      scored += 1;
      compareFeatures(inputs, rowOf(features, id), readInputs(answer), ['creatinine', 'age', 'sex']);
      const wanted = gfrCategory(Number(row.ckd_epi_2021_egfr));
      if (category === undefined || !('code' in category) || category.code !== wanted)
        problems.push(`${id}: ${JSON.stringify(category)}, expected ${wanted}`);
    }
    expect(problems).toEqual([]);
    expect(inputs.differences).toEqual([]);
    expect(scored).toBe([...risks.values()].filter(({ ckd_epi_2021 }) => ckd_epi_2021 === 'score').length);
    expect(inputs.cells).toBe(scored * (cellsPerObservation + 2));
  });

  it('every column of every patient, through a model that maps them all', async () => {
    const compared: Comparison = { cells: 0, differences: [] };
    const refused: ReadInput[] = [];
    let deceased = 0;
    for (const { id } of patients) {
      const row = rowOf(features, id);
      const answer = await predict(everyColumnModel, id);
      if (row.deceased === '1') {
        deceased += 1;
        expect(readOutcomes(answer).get('test')).toEqual({ state: 'not-eligible', reasons: ['deceased'] });
      }
      const inputs = row.deceased === '1' ? await extractOverHttp(id, row) : readInputs(answer);
      if (id !== withoutUnit) {
        compareFeatures(compared, row, inputs, everyColumn);
        continue;
      }
      compareFeatures(
        compared,
        row,
        inputs,
        everyColumn.filter((column) => column !== 'sbp' && column !== 'dbp'),
      );
      for (const column of ['sbp', 'dbp'] as const) {
        expect(row).toMatchObject({ [`${column}_state`]: 'ok', [`${column}_unit`]: '' });
        const input = inputs.get(observationColumns[column] ?? '');
        if (input !== undefined) refused.push(input);
      }
    }
    expect(compared.differences).toEqual([]);
    expect(deceased).toBe(14);
    expect(refused.map(({ state, reason, value, unit, at }) => ({ state, reason, value, unit, at }))).toEqual(
      Array.from({ length: 2 }, () => ({
        state: 'missing',
        reason: 'unit-missing',
        value: undefined,
        unit: undefined,
        at: undefined,
      })),
    );
    expect(cellsPerRow).toBe(63);
    expect(compared.cells).toBe(119 * cellsPerRow - 2 * cellsPerObservation);
  });

  /** No model speaks about the deceased, so theirs are compared one step earlier: the record read over HTTP, extracted. */
  async function extractOverHttp(id: string, row: Row): Promise<Map<string, ReadInput>> {
    const client = createFhirClient({
      base: server.fhir,
      outbound: outboundTo(server.fhir),
      timeoutMs: 10_000,
      maxResources: 10_000,
    });
    try {
      const { compiled, manifest } = modelUnderTest();
      const asOf = new Date(row.as_of ?? '');
      const record = await gatherRecord({
        source: createHttpRecordSource(client, server.house.validator),
        subject: { tenant: 'default', base: client.base, id },
        queries: recordQueries(compiled.map, asOf, ['consent', 'group']),
        seed: [],
        asOf,
      });
      const extracted = extractFeatures(record, compiled, manifest, new Map(), 'UTC');
      return new Map([...extracted.features].map(([name, value]) => [name, asInput(value, unitOf(compiled, name))]));
    } finally {
      await client.close();
    }
  }

  function modelUnderTest() {
    const { manifest, featureMap } = server.house.catalog.find(everyColumnModel);
    return { manifest, compiled: compileFeatureMap(featureMap) };
  }
});

function unitOf(compiled: ReturnType<typeof compileFeatureMap>, name: string): string | undefined {
  const value = compiled.features.get(name)?.value;
  return value?.type === 'number' ? value.unit : undefined;
}

function asInput(value: FeatureValue, unit: string | undefined): ReadInput {
  if (value.state === 'missing') return { state: value.state, reason: value.because, sources: value.sources };
  const at = 'at' in value ? value.at : undefined;
  return {
    state: value.state,
    value: value.value,
    sources: value.sources,
    ...(unit === undefined ? {} : { unit }),
    ...(at === undefined ? {} : { at }),
  };
}
