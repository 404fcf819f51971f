import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../../../src/imaging/pixels/decode-frame.ts';
import { casesPresent } from '../../support/cases.ts';
import { encodedCases } from '../support/encoded-cases.ts';

/** The stream with `count` fill bytes before each marker up to its first scan (T.81 B.1.1.2). */
function filled(bytes: Uint8Array, count: number): Uint8Array {
  const fill = new Uint8Array(count).fill(0xff);
  const parts: Uint8Array[] = [bytes.subarray(0, 2)];
  let at = 2;
  for (let isScan = false; !isScan; ) {
    isScan = bytes[at + 1] === 0xda;
    const end = isScan ? bytes.length : at + 2 + (bytes[at + 2] as number) * 256 + (bytes[at + 3] as number);
    parts.push(fill, bytes.subarray(at, end));
    at = end;
  }
  return new Uint8Array(Buffer.concat(parts));
}

describe.runIf(casesPresent)('a JPEG stream with fill bytes before its markers', () => {
  const processes = ['1.2.840.10008.1.2.4.50', '1.2.840.10008.1.2.4.51'];
  const cases = casesPresent ? encodedCases().filter((each) => processes.includes(each.transferSyntaxUid)) : [];
  const decodable = cases.filter((each) => {
    try {
      return decodeFrame(each).data.length > 0;
    } catch {
      return false;
    }
  });

  it('is made of cases of each form of colours', () => {
    expect(new Set(decodable.map(({ form }) => form.photometricInterpretation))).toEqual(
      new Set(['RGB', 'YBR_FULL', 'YBR_FULL_422']),
    );
    expect(decodable.map(({ name }) => name)).toContain('SC_rgb_dcmtk_+eb+cy+n1.dcm');
  });

  it.each(decodable.map((each) => [each.name, each] as const))(
    'DW-23: %s has the pixels and the colours that it has without them',
    (_, { form, transferSyntaxUid, bytes }) => {
      const whole = decodeFrame({ form, transferSyntaxUid, bytes });
      for (const count of [1, 3]) {
        const { data, ...rest } = decodeFrame({ form, transferSyntaxUid, bytes: filled(bytes, count) });
        expect({ ...rest, data: undefined }).toEqual({ ...whole, data: undefined });
        expect(data.filter((value, at) => value !== whole.data[at])).toHaveLength(0);
        expect(data).toHaveLength(whole.data.length);
      }
    },
  );
});
