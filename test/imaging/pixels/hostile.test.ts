import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readImageAttributes } from '../../../src/imaging/dicom/image-attributes.ts';
import { readPixelForm } from '../../../src/imaging/dicom/pixel-form.ts';
import { readPart10 } from '../../../src/imaging/dicom/read-part10.ts';
import { ImageFault } from '../../../src/imaging/image-fault.ts';
import { decodeFrame } from '../../../src/imaging/pixels/decode-frame.ts';
import { casesDir, casesPresent } from '../../support/cases.ts';

/** Reads everything of a file that can be read; undefined where it is refused. Whatever else is thrown is a bug. */
function readAll(bytes: Uint8Array): number | undefined {
  try {
    const { dataset, transferSyntaxUid, frames } = readPart10(bytes, { maxInflatedBytes: 2 ** 22 });
    const form = readPixelForm(dataset);
    if (form === undefined) return 0;
    readImageAttributes(dataset).frame(0);
    return frames.reduce(
      (sum, frame) =>
        sum + decodeFrame({ form, transferSyntaxUid, bytes: frame, maxDecodedBytes: 2 ** 22 }).data.length,
      0,
    );
  } catch (error) {
    if (error instanceof ImageFault) return undefined;
    throw error;
  }
}

/** An explicit little-endian file of elements: group, element, representation, value. */
function file(elements: readonly (readonly [number, number, string, Uint8Array | number])[]): Uint8Array {
  const parts = elements.map(([group, element, vr, value]) => {
    const long = ['OB', 'OW', 'SQ', 'UN'].includes(vr);
    const header = Buffer.alloc(long ? 12 : 8);
    header.writeUInt16LE(group, 0);
    header.writeUInt16LE(element, 2);
    header.write(vr, 4, 'latin1');
    const length = typeof value === 'number' ? value : value.length;
    if (long) header.writeUInt32LE(length, 8);
    else header.writeUInt16LE(length, 6);
    return Buffer.concat([header, typeof value === 'number' ? Buffer.alloc(0) : value]);
  });
  return new Uint8Array(Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), ...parts]));
}

const text = (value: string): Uint8Array => Buffer.from(value.length % 2 === 0 ? value : `${value}\0`);
const short = (value: number): Uint8Array => Uint8Array.of(value & 255, value >> 8);
const syntax = [0x0002, 0x0010, 'UI', text('1.2.840.10008.1.2.1')] as const;
const image = (changes: Readonly<Record<string, Uint8Array>> = {}) =>
  file([
    syntax,
    [0x0028, 0x0002, 'US', changes.samples ?? short(1)],
    [0x0028, 0x0004, 'CS', text('MONOCHROME2')],
    [0x0028, 0x0008, 'IS', changes.frames ?? text('1')],
    [0x0028, 0x0010, 'US', changes.rows ?? short(1)],
    [0x0028, 0x0011, 'US', changes.columns ?? short(2)],
    [0x0028, 0x0100, 'US', changes.allocated ?? short(8)],
    [0x0028, 0x0101, 'US', changes.stored ?? short(8)],
    [0x0028, 0x0102, 'US', short(7)],
    [0x0028, 0x0103, 'US', short(0)],
    [0x7fe0, 0x0010, 'OB', Uint8Array.of(1, 2)],
  ]);
const refusal = (bytes: Uint8Array): string => {
  try {
    readPart10(bytes);
  } catch (error) {
    if (error instanceof ImageFault) return `${error.because}: ${error.message}`;
    throw error;
  }
  return 'read';
};

describe('a file that means harm', () => {
  it('is told from one that does not', () => {
    expect(readPart10(image()).frames).toEqual([Uint8Array.of(1, 2)]);
  });

  it.each([
    ['no bytes', new Uint8Array(0), 'image-damaged: The bytes are no DICOM file'],
    ['a page of HTML', Buffer.from('<html>'.repeat(40)), 'image-damaged: The bytes are no DICOM file'],
    ['0 rows', image({ rows: short(0) }), 'image-damaged: Rows (0028,0010) is 0'],
    ['two samples', image({ samples: short(2) }), 'image-damaged: SamplesPerPixel (0028,0002) is 2'],
    ['more bits stored than allocated', image({ stored: short(12) }), 'image-damaged: BitsStored'],
    [
      'a thousand million frames',
      image({ frames: text('1000000000') }),
      'image-damaged: The pixel data has 2 bytes; 1000000000 frames need 2000000000',
    ],
    [
      'an image of 65,535 × 65,535 pixels',
      image({ rows: short(65_535), columns: short(65_535) }),
      'image-damaged: The pixel data has 2 bytes',
    ],
    [
      'an element of 4 GB',
      file([syntax, [0x0010, 0x0020, 'UN', 0xfffffffe]]),
      'image-damaged: The DICOM file is not whole',
    ],
    [
      'pixels of 4 GB',
      file([syntax, [0x7fe0, 0x0010, 'OW', 0xfffffffe]]),
      'image-damaged: The DICOM file is not whole',
    ],
    ['no transfer syntax', file([[0x0010, 0x0020, 'LO', text('x')]]), 'image-damaged: The DICOM file is not whole'],
  ])('is refused in words: %s', (_, bytes, words) => {
    expect(refusal(new Uint8Array(bytes))).toContain(words);
  });

  it('is refused where its sequences are deeper than can be read', () => {
    const open = Buffer.from([
      0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, 255, 255, 255, 255, 0xfe, 255, 0, 0xe0, 255, 255, 255, 255,
    ]);
    const deep = Buffer.concat([file([syntax]), ...Array.from({ length: 50_000 }, () => open)]);
    expect(refusal(new Uint8Array(deep))).toContain('image-damaged: The DICOM file is not whole');
  });

  it('is refused where it becomes too large when it is inflated', async () => {
    const { deflateRawSync } = await import('node:zlib');
    const header = file([[0x0002, 0x0010, 'UI', text('1.2.840.10008.1.2.1.99')]]);
    const bomb = new Uint8Array(Buffer.concat([header, deflateRawSync(Buffer.alloc(2 ** 24))]));
    expect(() => readPart10(bomb, { maxInflatedBytes: 2 ** 20 })).toThrow(
      expect.objectContaining({ because: 'image-too-large' }),
    );
  });
});

describe.runIf(casesPresent)('a file of the cases whose bytes are changed', () => {
  const names = [
    'files/rtdose_rle_1frame.dcm',
    'files/JPEGLSNearLossless_16.dcm',
    'files/JPEG2000.dcm',
    'files/SC_rgb_jpeg_dcmtk.dcm',
    'files/rtdose_1frame.dcm',
    'files/image_dfl.dcm',
    'files/ExplVR_BigEnd.dcm',
    'transcoded/MR_small__jpegP14.dcm',
    'no_pixels/test-SR.dcm',
    'no_pixels/priv_SQ.dcm',
  ];
  const change = fc.record({ at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), byte: fc.nat(255) });

  it.each(names)('is read, or refused in words, and never hangs: %s', (name) => {
    const whole = new Uint8Array(readFileSync(path.join(casesDir, 'dicom', name)));
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
        (changes, cut) => {
          const bytes = whole.slice(0, cut === null ? whole.length : Math.floor(whole.length * cut));
          // Half of the changes fall on the header of the file, where lengths and forms are.
          changes.forEach(({ at, byte }, index) => {
            const within = index % 2 === 0 ? bytes.length : Math.min(bytes.length, 1500);
            if (within > 0) bytes[Math.floor(at * within)] = byte;
          });
          readAll(bytes);
        },
      ),
      { seed: 59, numRuns: 40 },
    );
  });
});
