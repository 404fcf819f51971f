import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { versionReport } from '../../../src/entrances/models/version-report.ts';
import type { InferenceEngine } from '../../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { loadCatalog } from '../../../src/model-catalog/catalog.ts';
import type { RegistrationReport } from '../../../src/model-catalog/registration/registration-report.ts';
import { copyModel, type ModelFolder } from '../../support/model-folder.ts';
import { greedyModel, type OnnxModel, onnxBytes, sigmoidModel } from '../../support/onnx-model.ts';
import { loopOnnx } from '../../support/slow-onnx.ts';

const at = '2026-03-01T09:00:00.000Z';
const clock = { now: () => new Date(at) };

let engine: InferenceEngine;
let folder: ModelFolder;
beforeAll(() => {
  engine = createOnnxEngine({ triesApart: true, limits: { memoryMb: 1500, environment: {} }, trialTimeoutMs: 3_000 });
});
afterAll(() => engine.close());
beforeEach(async () => {
  folder = await copyModel('pce-2013');
});
afterEach(() => folder[Symbol.asyncDispose]());

/** The risk is a tenth of the one input: 0.1 for 1, and none that can be beyond 10. */
const tenth: OnnxModel = {
  inputs: [{ name: 'x', type: 'float64', shape: ['n', 1] }],
  outputs: [{ name: 'risk', type: 'float64', shape: ['n', 1] }],
  constants: [{ name: 'tenth', shape: [1], data: Float64Array.of(0.1) }],
  nodes: [{ op: 'Mul', inputs: ['x', 'tenth'], outputs: ['risk'] }],
};

interface Told {
  readonly artefact?: OnnxModel | Uint8Array;
  /** Of the one input. */
  readonly plausible?: readonly [number, number];
  /** Expected score by input. */
  readonly golden?: Readonly<Record<number, number>>;
  readonly manifest?: object;
  readonly outcome?: object;
}

/** Loads the folder with a model of one input, which is as its parts say. */
async function load(told: Told): Promise<{ report: RegistrationReport; state: unknown }> {
  const { artefact = tenth, plausible = [0, 10], golden = { 1: 0.1, 8: 0.8 } } = told;
  await folder.write('model.onnx', artefact instanceof Uint8Array ? artefact : onnxBytes(artefact));
  const analyte = {
    kind: 'observation',
    label: 'Analyte',
    codes: ['http://loinc.org|2160-0'],
    unit: 'mg/dL',
    window: 'P1Y',
    pick: 'latest',
    plausible,
    missing: 'abstain',
  };
  const population = { exclude: [], require: [], ranges: [] };
  await folder.write('feature-map.json', JSON.stringify({ language: 1, features: { analyte }, population }));
  await folder.edit('manifest.json', (manifest) => {
    delete manifest.cdsHooks;
    delete manifest.directions;
    manifest.tensors = {
      input: { name: 'x', type: 'float64', columns: [{ feature: 'analyte' }] },
      output: { name: 'risk', type: 'float64', columns: 1 },
    };
    const outcome = { id: 'test', label: 'Test', column: 0, kind: 'probability', horizon: 'P1Y' };
    manifest.outcomes = [{ ...outcome, ...told.outcome }];
    manifest.explanation.reference = { analyte: 2 };
    Object.assign(manifest, told.manifest);
  });
  await folder.edit('model-card.json', (card) => {
    card.inputs = [{ feature: 'analyte', description: 'A' }];
    card.outputs = [{ outcome: 'test', description: 'Test' }];
    card.codeLists = [];
    card.performance = [];
  });
  await folder.remove('golden');
  const cases = Object.entries(golden).map(([value, score]) => {
    return { name: `analyte ${value}`, inputs: { analyte: Number(value) }, expected: { test: score }, tolerance: 1e-9 };
  });
  await folder.write('golden/test.json', JSON.stringify({ source: 'test', cases }));
  await folder.seal();
  const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock });
  const { state, registration } = versionReport(catalog, 'pce-2013', '1.0.0');
  return { state, report: registration as RegistrationReport };
}

const measurement = {
  kind: 'measurement',
  coding: [{ system: 'http://loinc.org', code: '33914-3' }],
  horizon: undefined,
  unit: '1',
  decimals: 1,
};
const failedOf = ({ checks }: RegistrationReport) => checks.filter(({ outcome }) => outcome === 'failed');

test('a version that passes is ready, and its report says what was tested, how much and when', async () => {
  const { report, state } = await load({ manifest: { directions: { analyte: 'rises' } } });
  expect(report.reason).toBeUndefined();
  expect([state, report.state, report.at]).toEqual(['default', 'ready', at]);
  expect(report.checks.map(({ id, outcome, count }) => [id, outcome, count > 0])).toEqual([
    ['folder', 'passed', true],
    ['graph', 'passed', true],
    ['class-labels', 'nothing-to-test', false],
    ['golden-spread', 'passed', true],
    ['golden-cases', 'passed', true],
    ['nan', 'nothing-to-test', false],
    ['extremes', 'passed', true],
    ['texts', 'nothing-to-test', false],
    ['images', 'nothing-to-test', false],
    ['directions', 'passed', true],
    ['engine', 'passed', true],
    ['golden-cases-served', 'passed', true],
  ]);
  expect(report.graph).toMatchObject({ operators: { Mul: 1 }, opsets: { 'ai.onnx': 17 } });
  expect(report.engine).toMatchObject({ place: 'inline', batches: { grade: 'bitwise' } });
});

describe('a version is refused, and its report tells what it passed until then, where', () => {
  test.each<[string, Told, string, RegExp]>([
    [
      'an input at its end gives no probability',
      { plausible: [0, 20] },
      'extremes',
      /gives for test what is not a probability.*where analyte is 20 .*narrow plausible or the population/,
    ],
    [
      'the graph fails on an input that can reach it, as it wants 8 GB then',
      {
        artefact: greedyModel(1),
        plausible: [0, 1e9],
        golden: { 1: 1, 8: 8 },
        outcome: { ...measurement, range: [0, 1e9] },
      },
      'extremes',
      /gives no score .*alloc.* where analyte is 1000000000/s,
    ],
    [
      'the score goes the other way than it is declared to',
      { manifest: { directions: { analyte: 'falls' } } },
      'directions',
      /says that the risk of test falls with analyte, but the model's goes from/,
    ],
    [
      'all golden cases are alike',
      { golden: { 7: 0.7, 8: 0.8 } },
      'golden-spread',
      /hold no low and high case of test \(expected 0\.7 to 0\.8\); add one of each/,
    ],
    [
      'a golden case fails',
      { golden: { 1: 0.2, 8: 0.8 } },
      'golden-cases',
      /golden case "analyte 1" gives 0\.1 for test; expected 0\.2 within/,
    ],
    [
      'the graph has operators of a domain of its own',
      { artefact: { ...tenth, nodes: [{ op: 'Guess', domain: 'com.example', inputs: ['x'], outputs: ['risk'] }] } },
      'graph',
      /has operators of 'com\.example', which ONNX Runtime does not have.*ai\.onnx.*remote engine/,
    ],
    [
      'the graph says that it is another model',
      { artefact: noted({ 'fhirsight.id': 'kfre-4' }) },
      'graph',
      /says fhirsight\.id 'kfre-4' in its metadata, but the manifest says 'pce-2013'/,
    ],
    [
      'the graph says that its columns are others',
      { artefact: noted({ 'fhirsight.features': '["age"]' }) },
      'graph',
      /column 0 is "age", but the manifest has 'analyte' there/,
    ],
    ['the graph is none', { artefact: new Uint8Array(8) }, 'graph', /not an ONNX model/],
    [
      'the graph has another shape',
      { artefact: sigmoidModel('float64', 2) },
      'engine',
      /input x has shape \[n, 2\]; the manifest declares/,
    ],
  ])('%s', async (_, told, id, reason) => {
    const { state, report } = await load(told);
    expect([state, report.state]).toEqual(['refused', 'refused']);
    expect(report.reason).toMatch(reason);
    expect(failedOf(report).map((check) => check.id)).toEqual([id]);
    expect(report.checks.at(-1)?.findings.join(' ')).toMatch(reason);
  });

  test('it never ends on an input that can reach it, and the report says in which check', async () => {
    const { state, report } = await load({
      artefact: loopOnnx(1),
      plausible: [1, 1e15],
      golden: { 1: 0.6750375273768237 },
      outcome: { ...measurement, range: [0, 1] },
    });
    expect([state, failedOf(report).map(({ id }) => id)]).toEqual(['refused', ['extremes']]);
    expect(report.reason).toMatch(
      /tried in a process of its own.*During the check extremes: .*did not end within 3000 ms/s,
    );
  });
});

/** A note in the metadata of the graph: protobuf merges what is appended. */
function noted(entries: Readonly<Record<string, string>>): Uint8Array {
  const text = (number: number, value: string) =>
    Buffer.concat([Buffer.of(number * 8 + 2, value.length), Buffer.from(value)]);
  const notes = Object.entries(entries).map(([key, value]) => {
    const entry = Buffer.concat([text(1, key), text(2, value)]);
    return Buffer.concat([Buffer.of(14 * 8 + 2, entry.length), entry]);
  });
  return new Uint8Array(Buffer.concat([onnxBytes(tenth), ...notes]));
}
