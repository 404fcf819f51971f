import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { OnnxNode } from '../../../src/inference/onnx-graph/onnx-model.ts';
import { readOnnxModel } from '../../../src/inference/onnx-graph/read-onnx-model.ts';
import { tensorNumbers } from '../../../src/inference/onnx-graph/read-tensor.ts';
import { ort } from '../../../src/inference/onnx-runtime.ts';
import { casesPresent } from '../../support/cases.ts';
import { onnxCases } from '../../support/onnx-cases.ts';
import { onnxBytes, type OnnxModel as WrittenModel } from '../../support/onnx-model.ts';

const shipped = readdirSync('models').flatMap((id) =>
  readdirSync(path.join('models', id)).map((version): [string, Uint8Array] => [
    `${id}@${version}`,
    readFileSync(path.join('models', id, version, 'model.onnx')),
  ]),
);
const ofOthers = casesPresent
  ? onnxCases()
      .filter(({ verdict }) => verdict === 'match')
      .map((each): [string, Uint8Array] => [each.name, each.artefact()])
  : [];

/** Image networks take half a second each to open. */
const quickToOpen = ofOthers.filter(([name]) => !name.startsWith('models/light_'));

/** Names of all that a graph's nodes may take: what goes in, what is held, what others made. */
function unknownInputs(nodes: readonly OnnxNode[], known: ReadonlySet<string>): string[] {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  return nodes.flatMap(({ inputs }) => inputs.filter((name) => name !== '' && !known.has(name) && !made.has(name)));
}

const written: WrittenModel = {
  inputs: [{ name: 'x', type: 'float32', shape: ['n', 3] }],
  outputs: [
    { name: 'y', type: 'float64', shape: ['n', 1] },
    { name: 'maps', type: 'maps', shape: [] },
  ],
  nodes: [
    {
      op: 'LinearRegressor',
      domain: 'ai.onnx.ml',
      inputs: ['x', ''],
      outputs: ['y'],
      attributes: {
        coefficients: { floats: [0.5, -1, 0] },
        targets: { int: -3 },
        post_transform: { text: 'NONE' },
        axes: { ints: [-1, 0, 2 ** 40] },
        alpha: { float: 0.25 },
        body: { graph: { inputs: [], outputs: [], nodes: [{ op: 'Log', inputs: ['x'], outputs: ['l'] }] } },
      },
    },
  ],
  constants: [
    { name: 'a', shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) },
    { name: 'b', shape: [2], data: BigInt64Array.of(-1n, 7n) },
    { name: 'c', shape: [], data: Float32Array.of(0.5) },
    { name: 'd', shape: [3], data: Int32Array.of(-1, 0, 1) },
  ],
};

describe('the reader of ONNX models', () => {
  test.each([...shipped, ...quickToOpen])(
    'finds in %s the inputs and outputs that ONNX Runtime finds',
    async (_, artefact) => {
      const { graph, opsets, irVersion } = readOnnxModel(artefact);
      const session = await ort.InferenceSession.create(artefact, { logSeverityLevel: 4 });
      try {
        // Initializers that are among the inputs too may be fed, but need not be.
        const inputs = graph.inputs.map(({ name }) => name).filter((name) => !graph.initializers.has(name));
        expect(inputs).toEqual(session.inputNames.filter((name) => !graph.initializers.has(name)));
        expect(graph.outputs.map(({ name }) => name)).toEqual(session.outputNames);
        expect(Math.max(...opsets.values())).toBeGreaterThan(0);
        expect(irVersion).toBeGreaterThan(0);
      } finally {
        await session.release();
      }
    },
  );

  test.each([...shipped, ...ofOthers])('finds in %s where each input of a node comes from', (_, artefact) => {
    const { graph } = readOnnxModel(artefact);
    const known = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
    expect(unknownInputs(graph.nodes, known)).toEqual([]);
  });

  test.each(shipped)('reads the numbers of every constant of %s', (_, artefact) => {
    for (const tensor of readOnnxModel(artefact).graph.initializers.values())
      expect(tensorNumbers(tensor).every(Number.isFinite), tensor.name).toBe(true);
  });

  test('reads what a node is told, by type', () => {
    const [node] = readOnnxModel(onnxBytes(written)).graph.nodes;
    expect(node).toMatchObject({
      operator: 'LinearRegressor',
      domain: 'ai.onnx.ml',
      inputs: ['x', ''],
      outputs: ['y'],
    });
    expect(node?.attributes.get('coefficients')?.floats).toEqual([0.5, -1, 0]);
    expect(node?.attributes.get('targets')?.integer).toBe(-3);
    expect(node?.attributes.get('post_transform')?.text).toBe('NONE');
    expect(node?.attributes.get('axes')?.integers).toEqual([-1, 0, 2 ** 40]);
    expect(node?.attributes.get('alpha')?.float).toBe(0.25);
    expect(node?.attributes.get('body')?.graph?.nodes.map(({ operator }) => operator)).toEqual(['Log']);
  });

  test('reads constants of every number type that they are kept in', () => {
    const { initializers } = readOnnxModel(onnxBytes(written)).graph;
    const read = [...initializers.values()].map((tensor) => [tensor.name, tensor.dims, [...tensorNumbers(tensor)]]);
    expect(read).toEqual([
      ['a', [2, 2], [1, 2, 3, 4]],
      ['b', [2], [-1, 7]],
      ['c', [], [0.5]],
      ['d', [3], [-1, 0, 1]],
    ]);
  });

  test('reads the types of inputs and outputs', () => {
    const { inputs, outputs } = readOnnxModel(onnxBytes(written)).graph;
    expect(inputs).toEqual([{ name: 'x', type: { kind: 'tensor', element: 'float32', shape: ['n', 3] } }]);
    expect(outputs).toEqual([
      { name: 'y', type: { kind: 'tensor', element: 'float64', shape: ['n', 1] } },
      {
        name: 'maps',
        type: {
          kind: 'sequence',
          of: { kind: 'map', key: 'int64', value: { kind: 'tensor', element: 'float32' } },
        },
      },
    ]);
  });

  test('reads the versions of the operators by domain', () => {
    expect([...readOnnxModel(onnxBytes({ ...written, opset: 21 })).opsets]).toEqual([
      ['', 21],
      ['ai.onnx.ml', 3],
    ]);
  });

  test('refuses a model that is cut off anywhere, or reads the part that is whole', () => {
    const bytes = onnxBytes(written);
    for (let length = 0; length < bytes.length; length++) {
      try {
        readOnnxModel(bytes.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
      }
    }
  });

  test('refuses with a SyntaxError whatever byte of a model is changed, or reads something', () => {
    const bytes = onnxBytes(written);
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        try {
          for (const tensor of readOnnxModel(changed).graph.initializers.values()) tensorNumbers(tensor);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }
    }
  });

  test('refuses a model without a graph, and graphs nested without end', () => {
    expect(() => readOnnxModel(Uint8Array.of(8, 10))).toThrow('it holds no graph');
    let nested: WrittenModel = written;
    for (let depth = 0; depth < 70; depth++)
      nested = {
        ...written,
        nodes: [{ op: 'If', inputs: [], outputs: [], attributes: { else_branch: { graph: nested } } }],
      };
    expect(() => readOnnxModel(onnxBytes(nested))).toThrow(/deeper than 64/);
  });

  test('says of a constant whose numbers are fewer than its shape tells', () => {
    const short: WrittenModel = { ...written, constants: [{ name: 'a', shape: [3], data: Float64Array.of(1) }] };
    const tensor = readOnnxModel(onnxBytes(short)).graph.initializers.get('a');
    expect(() => tensor && tensorNumbers(tensor)).toThrow("the tensor 'a' holds 1 numbers; its dims [3] say 3");
  });
});
