import fc from 'fast-check';
import {
  type ElementType,
  elementCount,
  elementTypes,
  numericData,
  type Tensor,
} from '../../src/model-catalog/tensor.ts';

/** Numbers of a type as its array keeps them: of float16 the bits. Never NaN or infinite where JSON is to say them. */
function elementOf(type: ElementType, forJson: boolean): fc.Arbitrary<number | bigint | string> {
  switch (type) {
    case 'string':
      return fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('', '\u0000', '"\\\n', '\ufeffx'));
    case 'bool':
      return fc.integer({ min: 0, max: 1 });
    case 'float16':
      return fc.integer({ min: 0, max: 0xffff }).filter((bits) => !forJson || (bits & 0x7c00) !== 0x7c00);
    case 'float32':
      return fc.float({ noNaN: forJson, noDefaultInfinity: forJson });
    case 'float64':
      return fc.double({ noNaN: forJson, noDefaultInfinity: forJson });
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'uint64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    default: {
      const bits = Number(type.replace(/\D/g, ''));
      return type.startsWith('u')
        ? fc.integer({ min: 0, max: 2 ** bits - 1 })
        : fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
    }
  }
}

/** A tensor of the type and dims. */
export function tensorOf(
  type: ElementType,
  dims: readonly number[],
  values: readonly (number | bigint | string)[],
): Tensor {
  if (type === 'string') return { type, dims, data: values.map(String) };
  const data = numericData(type, values.length);
  for (const [index, value] of values.entries()) data[index] = value as never;
  return { type, dims, data };
}

/** One to four rows of that many columns, of numbers that JSON can say. */
export function arbitraryRows(type: ElementType, columns: number): fc.Arbitrary<Tensor> {
  return fc.integer({ min: 1, max: 4 }).chain((rows) => {
    const length = rows * columns;
    return fc
      .array(elementOf(type, true), { minLength: length, maxLength: length })
      .map((values) => tensorOf(type, [rows, columns], values));
  });
}

/** @param forJson without NaN and infinities, which JSON cannot say */
export function arbitraryTensor(forJson: boolean): fc.Arbitrary<Tensor> {
  const types = fc.constantFrom(...elementTypes);
  const dims = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
  return fc.tuple(types, dims).chain(([chosen, sizes]) => {
    const length = elementCount(sizes);
    return fc
      .array(elementOf(chosen, forJson), { minLength: length, maxLength: length })
      .map((values) => tensorOf(chosen, sizes, values));
  });
}

/** The bytes of a tensor's numbers, so that NaN equals NaN and -0 is not 0; its texts. */
export function bitsOf({ type, dims, data }: Tensor): unknown {
  if (type === 'string') return { type, dims, data };
  return { type, dims, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex') };
}
