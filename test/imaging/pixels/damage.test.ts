import { describe, expect, it } from 'vitest';
import { ImageFault } from '../../../src/imaging/image-fault.ts';
import { decodeFrame } from '../../../src/imaging/pixels/decode-frame.ts';
import { casesPresent } from '../../support/cases.ts';
import { encode, picture } from '../support/encode.ts';
import { encodedCases } from '../support/encoded-cases.ts';

/** Bytes with a part of them zero; parts are fractions of the length. */
function zeroed(bytes: Uint8Array, [from, to]: readonly [number, number]): Uint8Array {
  return bytes.slice().fill(0, Math.floor(bytes.length * from), Math.ceil(bytes.length * to));
}

const damages: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  'the first half alone': (bytes) => bytes.slice(0, bytes.length >> 1),
  'the second half alone': (bytes) => bytes.slice(bytes.length >> 1),
  'its last 4 bytes cut': (bytes) => bytes.slice(0, -4),
  'its last 64 bytes cut': (bytes) => bytes.slice(0, -64),
  'its middle tenth zeroed': (bytes) => zeroed(bytes, [0.45, 0.55]),
  'its third quarter zeroed': (bytes) => zeroed(bytes, [0.5, 0.75]),
  'its last tenth zeroed': (bytes) => zeroed(bytes, [0.9, 1]),
  'its last quarter zeroed': (bytes) => zeroed(bytes, [0.75, 1]),
  'its first tenth zeroed': (bytes) => zeroed(bytes, [0, 0.1]),
  'nothing but zeros': (bytes) => new Uint8Array(bytes.length),
  'nothing at all': () => new Uint8Array(0),
};

describe.runIf(casesPresent)('a frame of which a part is lost', () => {
  const cases = casesPresent ? encodedCases() : [];
  const rows = cases.flatMap((each) => Object.keys(damages).map((damage) => [each.name, damage, each] as const));

  it.each(rows)('%s with %s is refused', (_, damage, { form, transferSyntaxUid, bytes }) => {
    const damaged = (damages[damage] as (typeof damages)[string])(bytes);
    const outcome = (): string => {
      try {
        const { data } = decodeFrame({ form, transferSyntaxUid, bytes: damaged });
        const whole = decodeFrame({ form, transferSyntaxUid, bytes });
        return data.every((value, at) => value === whole.data[at]) ? 'the same pixels' : 'other pixels, silently';
      } catch (error) {
        expect(error).toBeInstanceOf(ImageFault);
        return 'refused';
      }
    };
    expect(outcome()).toBe('refused');
  });
});

describe('a frame of HTJ2K of which a part is lost', async () => {
  const plain = { width: 256, height: 256, bitsPerSample: 12, componentCount: 1, isSigned: false };
  const form = {
    rows: 256,
    columns: 256,
    samplesPerPixel: 1,
    bitsAllocated: 16,
    bitsStored: 12,
    highBit: 11,
    signed: false,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME2',
    frames: 1,
    lossy: false,
  } as const;
  const values = Uint16Array.from(picture(256 * 256, 4095));
  const bytes = await encode('htj2k', { plain, values });
  const frame = { form, transferSyntaxUid: '1.2.840.10008.1.2.4.201' };

  it('is read where none is', () => {
    expect(decodeFrame({ ...frame, bytes }).data).toEqual(values);
  });

  it.each(Object.keys(damages))('is refused with %s', (damage) => {
    const damaged = (damages[damage] as (typeof damages)[string])(bytes);
    expect(() => decodeFrame({ ...frame, bytes: damaged })).toThrow(ImageFault);
  });
});
