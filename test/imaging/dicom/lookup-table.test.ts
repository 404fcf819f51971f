import { describe, expect, it } from 'vitest';
import { elementReader } from '../../../src/imaging/dicom/element-reader.ts';
import { readLookupTable } from '../../../src/imaging/dicom/lookup-table.ts';
import { tags } from '../../../src/imaging/dicom/tags.ts';
import { dataset } from '../support/dataset.ts';

function entriesOf(values: readonly number[], { bits = 16, vr = 'US' } = {}): number[] {
  const [data] = tags.LUTData;
  const item = { ...dataset({ LUTDescriptor: [values.length, 0, bits] }), [data]: { vr, Value: [...values] } };
  const keys = { descriptor: 'LUTDescriptor', data: 'LUTData', signed: false } as const;
  return [...readLookupTable(elementReader(item), keys).values];
}

describe('DW-21: an entry of a table that is no number of its bits', () => {
  it.each([
    ['is below 0', [-1, 2], {}],
    ['is a fraction', [0, 2.5], {}],
    ['is above the largest', [0, 65_538], {}],
    ['is above the largest of fewer bits', [0, 4096], { bits: 12 }],
    ['is below that of SS', [-32_769, 2], { vr: 'SS' }],
    ['is below 0, as SS of fewer bits', [-1, 2], { bits: 12, vr: 'SS' }],
  ])('is refused, and not made another, where it %s', (_, values, form) => {
    expect(() => entriesOf(values, form)).toThrow(
      expect.objectContaining({ because: 'image-damaged', message: expect.stringContaining('LUTData (0028,3006)') }),
    );
  });

  it('is not the upper half of 16 bits that is written as SS, nor the largest', () => {
    expect(entriesOf([-1, -32_768], { vr: 'SS' })).toEqual([65_535, 32_768]);
    expect(entriesOf([0, 65_535])).toEqual([0, 65_535]);
    expect(entriesOf([0, 4095], { bits: 12 })).toEqual([0, 4095]);
  });
});
