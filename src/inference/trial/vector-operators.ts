import type { TensorForm } from '../../model-catalog/tensor.ts';
import { fields } from '../protobuf-fields.ts';

/**
 * Operators that ONNX Runtime works out for several numbers at a time, and for the few that are left over at the end by
 * another formula: the last bit of a number then depends on how many come after it. That is so rare for some (one number in
 * hundreds) that no trial can be sure to meet it. Measured with 30,000 numbers each, ONNX Runtime 1.30 on x86-64.
 */
const ofAnyType: ReadonlySet<string> = new Set([
  'Acos',
  'Asin',
  'Atan',
  'Celu',
  'Cos',
  'Elu',
  'Log',
  'Mish',
  'Selu',
  'Sin',
  'Softplus',
]);
/** The same where the numbers are of 64 bits; those of 32 have a way of their own. */
const ofDoubles: ReadonlySet<string> = new Set(['Exp', 'LogSoftmax', 'Sigmoid', 'Softmax', 'Tanh']);

const doubleType = 11;
const graphField = 7;
const node = { opType: 4, attribute: 5 } as const;
const attribute = { name: 1, integer: 3, tensor: 5, graph: 6, graphs: 11 } as const;
const tensorTypeField = 2;

interface Found {
  readonly operators: Set<string>;
  doubles: boolean;
}

/** True where the graph, or one within it, has such an operator; false where the bytes are no model, as another server may run it. */
export function hasVectorOperators(artefact: Uint8Array, inputs: readonly TensorForm[]): boolean {
  const found: Found = { operators: new Set(), doubles: inputs.some(({ type }) => type === 'float64') };
  try {
    searchModel(artefact, found);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
  return [...found.operators].some((name) => ofAnyType.has(name) || (found.doubles && ofDoubles.has(name)));
}

function searchModel(artefact: Uint8Array, found: Found): void {
  for (const { number, bytes } of fields(artefact)) {
    if (number === graphField && bytes !== undefined) searchGraph(bytes, found);
    // Functions of the model: their nodes lie in field 7 as those of a graph in field 1.
    if (number === 25 && bytes !== undefined) searchNodes(bytes, 7, found);
  }
}

function searchGraph(graph: Uint8Array, found: Found): void {
  searchNodes(graph, 1, found);
  for (const { number, bytes } of fields(graph)) if (number === 5 && bytes !== undefined) searchTensor(bytes, found);
}

function searchNodes(message: Uint8Array, nodeField: number, found: Found): void {
  for (const { number, bytes } of fields(message)) {
    if (number !== nodeField || bytes === undefined) continue;
    for (const part of fields(bytes)) {
      if (part.bytes === undefined) continue;
      if (part.number === node.opType) found.operators.add(Buffer.from(part.bytes).toString('utf8'));
      if (part.number === node.attribute) searchAttribute(part.bytes, found);
    }
  }
}

function searchAttribute(message: Uint8Array, found: Found): void {
  let name = '';
  for (const { number, value, bytes } of fields(message)) {
    if (number === attribute.name && bytes !== undefined) name = Buffer.from(bytes).toString('utf8');
    // What Cast makes of its input.
    if (number === attribute.integer && name === 'to' && value === doubleType) found.doubles = true;
    if (bytes === undefined) continue;
    if (number === attribute.tensor) searchTensor(bytes, found);
    if (number === attribute.graph || number === attribute.graphs) searchGraph(bytes, found);
  }
}

function searchTensor(tensor: Uint8Array, found: Found): void {
  for (const { number, value } of fields(tensor))
    if (number === tensorTypeField && value === doubleType) found.doubles = true;
}
