import type { TensorForm } from '../model-catalog/tensor.ts';
import { fields } from './protobuf-fields.ts';

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
const nodeField = 1;
const outputField = 12;
const float32Type = 1;

/** The ZipMaps whose output is an output of the graph, and whose input is none. Throws SyntaxError where the bytes are no ONNX model. */
export function zipMaps(artefact: Uint8Array): ZipMap[] {
  const found: ZipMap[] = [];
  const outputs = new Set<string>();
  for (const graph of messages(artefact, graphField)) {
    for (const output of messages(graph, outputField)) outputs.add(textOf(output, 1) ?? '');
    for (const node of messages(graph, nodeField)) {
      const [input, output] = [textOf(node, 1), textOf(node, 2)];
      if (textOf(node, 4) === 'ZipMap' && input !== undefined && output !== undefined)
        found.push({ output, input, classes: classesOf(node) });
    }
  }
  return found.filter(({ output, input }) => outputs.has(output) && !outputs.has(input));
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

function messages(bytes: Uint8Array, number: number): Uint8Array[] {
  return [...fields(bytes)].flatMap((each) => (each.number === number && each.bytes !== undefined ? [each.bytes] : []));
}

function textOf(message: Uint8Array, number: number): string | undefined {
  const [bytes] = messages(message, number);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

/** The integers or texts of its attributes, of which it has one list: each in a field of its own, or integers packed in one. */
function classesOf(node: Uint8Array): number {
  let count = 0;
  for (const attribute of messages(node, 5)) {
    for (const { number, value, bytes } of fields(attribute)) {
      if (number === 9 || (number === 8 && value !== undefined)) count++;
      else if (number === 8 && bytes !== undefined) count += bytes.filter((byte) => byte < 128).length;
    }
  }
  return count;
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
