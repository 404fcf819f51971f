import type { TensorForm } from '../model-catalog/tensor.ts';
import { readOnnxModel } from './onnx-graph/read-onnx-model.ts';

/**
 * Classifiers are often exported with a ZipMap at their end, which makes a sequence of maps of their probabilities, and
 * ONNX Runtime for Node reads no sequence. The tensor that goes into the ZipMap is what is wanted; its columns are the
 * classes in the order of the ZipMap.
 * @see https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html
 */
export interface ZipMap {
  /** Name of the sequence of maps. */
  readonly output: string;
  /** Name of the tensor of float32 that goes into it. */
  readonly input: string;
  /** How many classes it names: the columns of that tensor. */
  readonly classes: number;
}

const graphField = 7;
const outputField = 12;
const float32Type = 1;

/** The ZipMaps whose output is an output of the graph, and whose input is none. Throws SyntaxError where the bytes are no ONNX model. */
export function zipMaps(artefact: Uint8Array): ZipMap[] {
  const { nodes, outputs } = readOnnxModel(artefact).graph;
  const names = new Set(outputs.map(({ name }) => name));
  return nodes.flatMap(({ operator, inputs: [input], outputs: [output], attributes }) => {
    if (operator !== 'ZipMap' || input === undefined || output === undefined) return [];
    const classes = [...attributes.values()].reduce(
      (sum, { integers, texts }) => sum + integers.length + texts.length,
      0,
    );
    return names.has(output) && !names.has(input) ? [{ output, input, classes }] : [];
  });
}

/**
 * The model with the tensors that go into its ZipMaps as outputs too. Repeated parts of a protobuf message are merged, so
 * it is enough to append a graph that declares them.
 */
export function withZipMapInputs(artefact: Uint8Array, maps: readonly ZipMap[]): Uint8Array {
  if (maps.length === 0) return artefact;
  const declared = maps.map(({ input, classes }) =>
    field(outputField, Buffer.concat([field(1, Buffer.from(input)), rowsOfFloat32(classes)])),
  );
  return Buffer.concat([artefact, field(graphField, Buffer.concat(declared))]);
}

/** The outputs under the names that the graph has for them: that of the ZipMap stands for the tensor that goes into it. */
export function namedAsZipMap(outputs: readonly TensorForm[], maps: readonly ZipMap[]): TensorForm[] {
  return outputs.map((form) => {
    const map = maps.find(({ input }) => input === form.name);
    return map === undefined ? form : { ...form, name: map.output };
  });
}

/** The type of a tensor with as many columns; its rows are free. The operators before a ZipMap do not always say so themselves. */
function rowsOfFloat32(columns: number): Buffer {
  const [free, fixed] = [field(1, Buffer.of()), field(1, Buffer.concat([Buffer.of(8), varint(columns)]))];
  return field(2, field(1, Buffer.concat([Buffer.of(8, float32Type), field(2, Buffer.concat([free, fixed]))])));
}

function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
