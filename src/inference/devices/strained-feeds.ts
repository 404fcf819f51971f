import { float16OfNumber, numberOfFloat16 } from '../../model-catalog/float16.ts';
import { numericData, type Tensor, type Tensors } from '../../model-catalog/tensor.ts';

const strains: readonly ((value: number) => number)[] = [() => 0, (x) => -x, (x) => 10 * x, (x) => -10 * x];

/**
 * The same tensors with every floating-point number zero, negated, tenfold and both: values for which a graph may take the
 * logarithm of a negative number or divide by zero. Nothing is asked of its numbers then but that they stay none.
 */
export function strainedFeeds(feeds: Tensors): Tensors[] {
  return strains.map((strain) => new Map([...feeds].map(([name, tensor]) => [name, strained(tensor, strain)])));
}

function strained(tensor: Tensor, strain: (value: number) => number): Tensor {
  const { type, dims } = tensor;
  if (type !== 'float16' && type !== 'float32' && type !== 'float64') return tensor;
  const data = numericData(type, tensor.data.length);
  for (const [index, value] of tensor.data.entries()) {
    const bits = Number(value);
    data[index] = type === 'float16' ? float16OfNumber(strain(numberOfFloat16(bits))) : strain(bits);
  }
  return { type, dims, data };
}
