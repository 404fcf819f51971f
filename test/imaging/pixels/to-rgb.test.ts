import { describe, expect, it } from 'vitest';
import type { LookupTable } from '../../../src/imaging/dicom/lookup-table.ts';
import { toRgb } from '../../../src/imaging/pixels/to-rgb.ts';

const table = (bits: number, firstMapped: number, values: number[]): LookupTable => ({
  bits,
  firstMapped,
  values: Uint16Array.from(values),
});

describe('colours', () => {
  it('DW-23: of YBR_FULL become RGB as pydicom has them', () => {
    const ybr = [0, 0, 0, 255, 255, 255, 81, 90, 240, 145, 54, 34, 41, 240, 110, 128, 128, 128, 200, 10, 250];
    const rgb = [0, 135, 0, 255, 121, 255, 238, 14, 14, 13, 238, 14, 16, 15, 239, 128, 128, 128, 255, 153, 0];
    const frame = {
      rows: 1,
      columns: 7,
      samples: 3,
      photometricInterpretation: 'YBR_FULL',
      data: Uint8Array.from(ybr),
    } as const;
    const found = toRgb(frame, { bitsStored: 8 });
    expect(found).toMatchObject({ photometricInterpretation: 'RGB', samples: 3 });
    // Rounding is free: PS3.3 states no more than three decimals.
    found.data.forEach((value, at) => {
      expect(Math.abs(value - (rgb[at] as number))).toBeLessThanOrEqual(1);
    });
  });

  it('DW-23: of a palette are its entries, the first below its range and the last above', () => {
    const frame = {
      rows: 1,
      columns: 4,
      samples: 1,
      photometricInterpretation: 'PALETTE COLOR',
      data: Int16Array.of(-5, 10, 11, 99),
    } as const;
    const palette = { red: table(16, 10, [1, 2]), green: table(16, 10, [300, 400]), blue: table(16, 11, [5, 65_535]) };
    expect(toRgb(frame, { bitsStored: 16, palette })).toEqual({
      rows: 1,
      columns: 4,
      samples: 3,
      photometricInterpretation: 'RGB',
      data: Uint16Array.of(1, 300, 5, 1, 300, 5, 2, 400, 5, 2, 400, 65_535),
    });
  });

  it('DW-23: are not made of gray', () => {
    const gray = {
      rows: 1,
      columns: 1,
      samples: 1,
      photometricInterpretation: 'MONOCHROME2',
      data: Uint8Array.of(1),
    } as const;
    expect(() => toRgb(gray, { bitsStored: 8 })).toThrow('Pixels of MONOCHROME2 do not become RGB');
  });
});
