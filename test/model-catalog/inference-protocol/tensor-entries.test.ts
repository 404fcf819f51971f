import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExactJson } from '../../../src/model-catalog/inference-protocol/exact-json.ts';
import { readTensorEntries, writeTensorEntries } from '../../../src/model-catalog/inference-protocol/tensor-entries.ts';
import type { Tensor } from '../../../src/model-catalog/tensor.ts';
import { arbitraryTensor, bitsOf, tensorOf } from '../../support/arbitrary-tensor.ts';

const nothing = new Uint8Array();
const read = (entries: unknown, binary: Uint8Array = nothing) => readTensorEntries(entries, binary, 'input');
const readText = (text: string) => read(parseExactJson(text));
const faultOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return (error as Error).message;
  }
  return 'none';
};
const named = (...tensors: Tensor[]) => new Map(tensors.map((tensor, index) => [`t${index}`, tensor]));

describe('OIP-8 OIP-9 OIP-11 tensors come out as they went in, bit for bit', () => {
  test('as JSON', () => {
    fc.assert(
      fc.property(fc.array(arbitraryTensor(true), { maxLength: 3 }), (tensors) => {
        const { json, parts } = writeTensorEntries(named(...tensors), () => false);
        expect(parts).toEqual([]);
        expect([...readText(json).values()].map(bitsOf)).toEqual(tensors.map(bitsOf));
      }),
    );
  });

  test('as bytes, also NaN and infinities, some of them as JSON beside', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryTensor(false), { maxLength: 3 }),
        arbitraryTensor(true),
        fc.nat({ max: 3 }),
        (tensors, plain, at) => {
          const all = tensors.toSpliced(at, 0, plain);
          const { json, parts } = writeTensorEntries(named(...all), (name) => name !== `t${all.indexOf(plain)}`);
          expect([...read(parseExactJson(json), Buffer.concat(parts)).values()].map(bitsOf)).toEqual(all.map(bitsOf));
        },
      ),
    );
  });

  test('whole numbers beyond 2^53 keep every digit, in both directions', () => {
    const text =
      '[{"name":"a","shape":[2],"datatype":"INT64","data":[9007199254740993,-9223372036854775808]},' +
      '{"name":"b","shape":[1],"datatype":"UINT64","data":[18446744073709551615]}]';
    const tensors = readText(text);
    expect(tensors.get('a')?.data).toEqual(BigInt64Array.of(9_007_199_254_740_993n, -(2n ** 63n)));
    expect(tensors.get('b')?.data).toEqual(BigUint64Array.of(2n ** 64n - 1n));
    expect(writeTensorEntries(tensors, () => false).json).toBe(text);
  });

  test('a fraction of many digits is no whole number, though the nearest double is one', () => {
    const integer = '[{"name":"a","shape":[1],"datatype":"INT32","data":[0.99999999999999999999]}]';
    expect(faultOf(() => readText(integer))).toMatch(/no whole number/);
    const fraction = '[{"name":"a","shape":[1],"datatype":"FP64","data":[0.99999999999999999999]}]';
    expect(readText(fraction).get('a')?.data).toEqual(Float64Array.of(1));
  });

  test('an escape in the datatype hides no digits', () => {
    const text = '[{"name":"a","shape":[1],"datatype":"\\u0049NT64","data":[9007199254740993]}]';
    expect(readText(text).get('a')?.data).toEqual(BigInt64Array.of(9_007_199_254_740_993n));
  });

  test('nested lists are read as the shape says', () => {
    const nested = [[[1, 2, 3]], [[4, 5, 6]]];
    expect(read([{ name: 'x', shape: [2, 1, 3], datatype: 'INT8', data: nested }]).get('x')).toEqual(
      tensorOf('int8', [2, 1, 3], [1, 2, 3, 4, 5, 6]),
    );
    expect(read([{ name: 'x', shape: [2, 0], datatype: 'FP32', data: [[], []] }]).get('x')?.data).toHaveLength(0);
    expect(read([{ name: 'x', shape: [2, 1], datatype: 'BYTES', data: [['a'], ['ä']] }]).get('x')?.data).toEqual([
      'a',
      'ä',
    ]);
  });

  test('what a client writes as null is not there', () => {
    const entry = { name: 'x', shape: [1], datatype: 'FP32', data: [1], parameters: null };
    expect(read([entry]).size).toBe(1);
  });
});

describe('OIP-8 a tensor that is not what it says is refused, and its values are not repeated', () => {
  const entry = { name: 'x', shape: [2], datatype: 'FP32', data: [1, 2] };
  test.each<[string, unknown, RegExp]>([
    ['no list', { x: entry }, /must be a list/],
    ['no object', [[1]], /inputs\[0\] must be an object with a name/],
    ['no name', [{ ...entry, name: '' }], /inputs\[0\] must be an object with a name/],
    ['the same name twice', [entry, entry], /x is there twice/],
    ['no shape', [{ ...entry, shape: undefined }], /no shape/],
    ['a free size', [{ ...entry, shape: [-1] }], /no shape of at most 32 whole numbers from 0/],
    ['half a size', [{ ...entry, shape: [1.5] }], /no shape/],
    ['a size as text', [{ ...entry, shape: ['2'] }], /no shape/],
    ['a shape without end', [{ ...entry, shape: Array.from({ length: 33 }, () => 1) }], /no shape of at most 32/],
    ['a shape of more elements than can be counted', [{ ...entry, shape: [2 ** 40, 2 ** 40] }], /too great/],
    ['no datatype', [{ ...entry, datatype: undefined }], /no known datatype/],
    ['a datatype of others', [{ ...entry, datatype: 'BF16' }], /no known datatype; known are BOOL/],
    ['too few elements', [{ ...entry, data: [1] }], /has 1 elements; its shape \[2\] has 2/],
    ['too many elements', [{ ...entry, data: [1, 2, 3] }], /has 3 elements/],
    ['no data', [{ ...entry, data: undefined }], /no list as its data/],
    [
      'rows where the shape has columns',
      [
        {
          ...entry,
          shape: [3, 2],
          data: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        },
      ],
      /lists in lists/,
    ],
    ['rows of unlike length', [{ ...entry, shape: [2, 2], data: [[1, 2, 3], [4]] }], /lists in lists/],
    ['lists and numbers mixed', [{ ...entry, shape: [2, 1], data: [[1], 2] }], /lists in lists/],
    ['numbers and lists mixed', [{ ...entry, shape: [2, 1], data: [1, [2]] }], /element \(1\) that is no number/],
    ['a text for a number', [{ ...entry, data: [1, '777'] }], /element \(1\) that is no number/],
    ['null for a number', [{ ...entry, data: [1, null] }], /element \(1\) that is no number/],
    ['a boolean for a number', [{ ...entry, data: [true, 1] }], /element \(0\) that is no number/],
    ['a number FP32 cannot hold', [{ ...entry, data: [1, 7.77e300] }], /too great for its type/],
    ['a number FP16 cannot hold', [{ ...entry, datatype: 'FP16', data: [1, 65_520] }], /too great for its type/],
    [
      'a fraction for INT32',
      [{ ...entry, datatype: 'INT32', data: [1, 77.7] }],
      /element \(1\) that is no whole number/,
    ],
    ['a number INT8 cannot hold', [{ ...entry, datatype: 'INT8', data: [1, 128] }], /not between -128 and 127/],
    ['a negative UINT64', [{ ...entry, datatype: 'UINT64', data: [1, -1] }], /not between 0 and/],
    ['a number for BOOL', [{ ...entry, datatype: 'BOOL', data: [true, 1] }], /neither true nor false/],
    ['a number for BYTES', [{ ...entry, datatype: 'BYTES', data: ['a', 1] }], /no text/],
    ['half a character', [{ ...entry, datatype: 'BYTES', data: ['a', '\ud800'] }], /no valid Unicode/],
    ['a parameter that is a list', [{ ...entry, parameters: { content_type: ['np'] } }], /parameter 'content_type'/],
    ['data and a size of bytes', [{ ...entry, parameters: { binary_data_size: 0 } }], /both data and binary_data_size/],
    [
      'bytes that did not come',
      [{ ...entry, data: undefined, parameters: { binary_data_size: 8 } }],
      /only 0 are left/,
    ],
    [
      'a size that is none',
      [{ ...entry, data: undefined, parameters: { binary_data_size: -1 } }],
      /no whole number from 0/,
    ],
  ])('%s', (_, entries, expected) => {
    const fault = faultOf(() => read(entries));
    expect(fault).toMatch(expected);
    expect(fault).not.toMatch(/\b777|77\.7/);
  });

  test('OIP-12 bytes that do not add up', () => {
    const binary = (size: number, change: object = {}) => ({
      name: 'x',
      shape: [2],
      datatype: 'FP32',
      parameters: { binary_data_size: size },
      ...change,
    });
    expect(faultOf(() => read([binary(8)], new Uint8Array(9)))).toMatch(/9 bytes follow the JSON.*announce 8/);
    expect(faultOf(() => read([binary(8)], new Uint8Array(7)))).toMatch(/announces 8 bytes.*only 7/);
    expect(faultOf(() => read([binary(4)], new Uint8Array(4)))).toMatch(/has 4 bytes of data; its shape \[2\] of FP32/);
    expect(faultOf(() => read([entry], new Uint8Array(1)))).toMatch(/1 bytes follow the JSON.*announce 0/);
    const bool = binary(2, { datatype: 'BOOL' });
    expect(faultOf(() => read([bool], Uint8Array.of(1, 2)))).toMatch(/element \(1\) of BOOL/);
    const texts = binary(10, { datatype: 'BYTES' });
    expect(faultOf(() => read([texts], Uint8Array.of(1, 0, 0, 0, 65, 9, 0, 0, 0, 65)))).toMatch(
      /ends within element 1/,
    );
    expect(faultOf(() => read([texts], Uint8Array.of(4, 0, 0, 0, 65, 66, 67, 68, 0, 0)))).toMatch(/within the length/);
    expect(faultOf(() => read([texts], Uint8Array.of(6, 0, 0, 0, 65, 66, 67, 68, 69, 70)))).toMatch(
      /has 1 elements of BYTES/,
    );
    expect(faultOf(() => read([texts], Uint8Array.of(1, 0, 0, 0, 255, 1, 0, 0, 0, 65)))).toMatch(/no UTF-8/);
  });

  test('JSON that breaks says where, and repeats nothing', () => {
    expect(faultOf(() => parseExactJson('{"secret": 123456 12}'))).toMatch(/not valid JSON; it breaks at character 18/);
    expect(faultOf(() => parseExactJson('[NaN]'))).not.toContain('NaN');
  });
});

test.each([
  ['float32', Number.NaN],
  ['float64', Number.POSITIVE_INFINITY],
  ['float16', 0x7e00],
] as const)('NaN and infinities of %s are not written as JSON, where they would become null', (type, value) => {
  const tensors = named(tensorOf(type, [1], [value]));
  expect(() => writeTensorEntries(tensors, () => false)).toThrow(/t0: element 0 is NaN or infinite/);
  expect(() => writeTensorEntries(tensors, () => true)).not.toThrow();
});
