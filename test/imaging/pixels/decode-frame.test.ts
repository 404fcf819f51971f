import { describe, expect, it } from 'vitest';
import type { PixelForm } from '../../../src/imaging/dicom/pixel-form.ts';
import { decodeFrame } from '../../../src/imaging/pixels/decode-frame.ts';
import { encode, picture } from '../support/encode.ts';

const littleEndian = '1.2.840.10008.1.2.1';
const bigEndian = '1.2.840.10008.1.2.2';
const rle = '1.2.840.10008.1.2.5';

function form(changes: Partial<PixelForm> = {}): PixelForm {
  return {
    rows: 1,
    columns: 3,
    samplesPerPixel: 1,
    bitsAllocated: 16,
    bitsStored: 16,
    highBit: 15,
    signed: false,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME2',
    frames: 1,
    lossy: false,
    ...changes,
  };
}

const decode = (changes: Partial<PixelForm>, transferSyntaxUid: string, bytes: ArrayLike<number>) =>
  decodeFrame({ form: form(changes), transferSyntaxUid, bytes: Uint8Array.from(bytes) });

describe('a frame that is not compressed', () => {
  it('DW-20: has 1 bit for each pixel, the lowest first', () => {
    const bits = { columns: 10, bitsAllocated: 1, bitsStored: 1, highBit: 0 };
    expect(decode(bits, littleEndian, [0b1000_0101, 0b10]).data).toEqual(Uint8Array.of(1, 0, 1, 0, 0, 0, 0, 1, 0, 1));
    expect(() => decode(bits, littleEndian, [1])).toThrow('The frame has 1 bytes; 1 × 10 pixels need 2');
  });

  it('DW-20: keeps the bits of the value only, and extends its sign', () => {
    const twelve = { bitsStored: 12, highBit: 11, signed: true };
    const cells = [0xff, 0x0f, 0x00, 0x08, 0xff, 0xf7];
    expect(decode(twelve, littleEndian, cells).data).toEqual(Int16Array.of(-1, -2048, 2047));
    expect(decode({ ...twelve, signed: false }, littleEndian, cells).data).toEqual(Uint16Array.of(4095, 2048, 2047));
    // An old object whose values lie in the upper bits.
    expect(decode({ ...twelve, highBit: 15 }, littleEndian, [0xf0, 0xff, 0x0f, 0x80, 0xf0, 0x7f]).data).toEqual(
      Int16Array.of(-1, -2048, 2047),
    );
  });

  it('DW-20: has cells of 8, 24 and 32 bits, in either byte order', () => {
    expect(
      decode({ bitsAllocated: 8, bitsStored: 8, highBit: 7, signed: true }, littleEndian, [255, 1, 128, 0]).data,
    ).toEqual(Int8Array.of(-1, 1, -128));
    const wide = { columns: 1, bitsAllocated: 32, bitsStored: 32, highBit: 31 };
    expect(decode(wide, littleEndian, [1, 2, 3, 255]).data).toEqual(Uint32Array.of(0xff030201));
    expect(decode({ ...wide, signed: true }, bigEndian, [255, 255, 255, 254]).data).toEqual(Int32Array.of(-2));
    const three = { columns: 1, bitsAllocated: 24, bitsStored: 24, highBit: 23 };
    expect(decode(three, littleEndian, [1, 2, 3]).data).toEqual(Uint32Array.of(0x030201));
    expect(decode({ ...three, signed: true }, bigEndian, [255, 255, 254, 0]).data).toEqual(Int32Array.of(-2));
  });

  it('DW-23: lays planes of colours together, and gives halved colours to both pixels', () => {
    const colours = { columns: 2, samplesPerPixel: 3, bitsAllocated: 8, bitsStored: 8, highBit: 7 } as const;
    expect(
      decode({ ...colours, photometricInterpretation: 'RGB', planarConfiguration: 1 }, littleEndian, [1, 2, 3, 4, 5, 6])
        .data,
    ).toEqual(Uint8Array.of(1, 3, 5, 2, 4, 6));
    const halved = decode({ ...colours, photometricInterpretation: 'YBR_FULL_422' }, littleEndian, [10, 20, 30, 40]);
    expect(halved.data).toEqual(Uint8Array.of(10, 30, 40, 20, 30, 40));
    expect(halved.photometricInterpretation).toBe('YBR_FULL');
  });

  it.each([
    ['shorter', 4],
    ['longer', 8],
  ])('is refused where it is %s than its form', (_, length) => {
    expect(() => decode({}, littleEndian, new Uint8Array(length))).toThrow(
      expect.objectContaining({ because: 'image-damaged' }),
    );
  });
});

describe('colours that only JPEG 2000 has', () => {
  it.each([littleEndian, rle, '1.2.840.10008.1.2.4.50', '1.2.840.10008.1.2.4.80'])('are refused of %s', (uid) => {
    const colours = {
      samplesPerPixel: 3,
      bitsAllocated: 8,
      bitsStored: 8,
      highBit: 7,
      photometricInterpretation: 'YBR_RCT',
    } as const;
    expect(() => decode(colours, uid, new Uint8Array(9))).toThrow(
      'The object states YBR_RCT, which only JPEG 2000 has',
    );
  });
});

describe('a frame that is too large', () => {
  it('is refused before anything is allocated', () => {
    const before = process.memoryUsage().arrayBuffers;
    const large = { rows: 16_384, columns: 16_384 };
    expect(() => decode(large, littleEndian, [])).toThrow(
      expect.objectContaining({
        because: 'image-too-large',
        message: expect.stringContaining('allowed are 268435456'),
      }),
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    const request = { form: form(), transferSyntaxUid: littleEndian, bytes: new Uint8Array(6), maxDecodedBytes: 5 };
    expect(() => decodeFrame(request)).toThrow('A frame of 1 × 3 pixels takes 6 bytes; allowed are 5');
  });
});

describe('a frame of a transfer syntax that is not read', () => {
  it.each(['1.2.840.10008.1.2.4.102', '1.2.3', 'constructor'])('is refused: %s', (uid) => {
    expect(() => decode({}, uid, new Uint8Array(6))).toThrow(expect.objectContaining({ because: 'image-unsupported' }));
  });
});

describe('RLE', () => {
  /** Three pixels of 16 bits: high bytes by a run, low bytes as they are. */
  function frame(high: number[], low: number[]): Uint8Array {
    const bytes = new Uint8Array(64 + high.length + low.length);
    new Uint32Array(bytes.buffer, 0, 3).set([2, 64, 64 + high.length]);
    bytes.set([...high, ...low], 64);
    return bytes;
  }

  it('DW-20: gives the bytes of each plane, the most significant first', () => {
    expect(decode({}, rle, frame([254, 1], [2, 7, 8, 9])).data).toEqual(Uint16Array.of(263, 264, 265));
    expect(decode({ signed: true }, rle, frame([254, 255], [2, 7, 8, 9])).data).toEqual(
      Int16Array.of(-249, -248, -247),
    );
  });

  it.each([
    ['a segment ends early', frame([255, 1], [2, 7, 8, 9]), 'RLE segment 1 ends after 2 of 3 bytes'],
    ['a run goes past the plane', frame([253, 1], [2, 7, 8, 9]), 'RLE segment 1 gives more than 3 bytes'],
    ['bytes are left', frame([254, 1, 254, 1], [2, 7, 8, 9]), 'RLE segment 1 goes on after its 3 bytes'],
    ['literals are not there', frame([254, 1], [2, 7, 8]), 'RLE segment 2 ends after 0 of 3 bytes'],
    [
      'there is one segment',
      frame([254, 1], [2, 7, 8, 9]).with(0, 1),
      'The RLE header states 1 segments; the pixels need 2',
    ],
    ['segments overlap', frame([254, 1], [2, 7, 8, 9]).with(8, 64), 'offsets that are not those of segments in order'],
    ['the header is cut', new Uint8Array(63), 'The RLE header is not whole'],
  ])('is refused where %s', (_, bytes, words) => {
    expect(() => decode({}, rle, bytes)).toThrow(
      expect.objectContaining({ because: 'image-damaged', message: expect.stringContaining(words) }),
    );
  });
});

describe('a stream of a codec', () => {
  const plain = { width: 64, height: 48, bitsPerSample: 12, componentCount: 1, isSigned: false };
  const shape = { rows: 48, columns: 64, bitsStored: 12, highBit: 11 };
  const gray = Uint16Array.from(picture(64 * 48, 4095));
  const signed = Int16Array.from(gray, (value) => value - 2048);
  const colour = Uint8Array.from(picture(64 * 48 * 3, 255));
  const rgb = {
    ...shape,
    bitsAllocated: 8,
    bitsStored: 8,
    highBit: 7,
    samplesPerPixel: 3,
    photometricInterpretation: 'RGB',
  } as const;

  it.each([
    ['htj2k', '1.2.840.10008.1.2.4.201'],
    ['htj2k', '1.2.840.10008.1.2.4.202'],
    ['htj2k', '1.2.840.10008.1.2.4.203'],
    ['jpeg-2000', '1.2.840.10008.1.2.4.90'],
  ] as const)('DW-20: %s of %s gives unsigned, signed and coloured pixels as they were', async (codec, uid) => {
    expect(decode(shape, uid, await encode(codec, { plain, values: gray })).data).toEqual(gray);
    const negative = await encode(codec, { plain: { ...plain, isSigned: true }, values: signed });
    expect(decode({ ...shape, signed: true }, uid, negative).data).toEqual(signed);
    const inColour = {
      plain: { ...plain, bitsPerSample: 8, componentCount: 3 },
      values: colour,
      colourTransform: true,
    };
    const decoded = decode({ ...rgb, photometricInterpretation: 'YBR_RCT' }, uid, await encode(codec, inColour));
    expect(decoded).toMatchObject({ photometricInterpretation: 'RGB', data: colour });
  });

  it.each(
    (['jpeg-2000', 'htj2k'] as const).flatMap((codec) =>
      [0, 1, 2, 3, 4].map((progression) => [codec, progression] as const),
    ),
  )('DW-20: %s is walked in progression %i, with blocks of another size', async (codec, progression) => {
    const inColour = {
      plain: { ...plain, bitsPerSample: 8, componentCount: 3 },
      values: colour,
      colourTransform: true,
    };
    const stream = await encode(codec, { ...inColour, progression, block: { width: 16, height: 32 } });
    const uid = codec === 'htj2k' ? '1.2.840.10008.1.2.4.201' : '1.2.840.10008.1.2.4.90';
    expect(decode({ ...rgb, photometricInterpretation: 'YBR_RCT' }, uid, stream).data).toEqual(colour);
  });

  it('DW-20: JPEG-LS gives its values, and their sign from the highest bit stored', async () => {
    const uid = '1.2.840.10008.1.2.4.80';
    const stream = await encode('jpeg-ls', { plain, values: gray });
    expect(decode(shape, uid, stream).data).toEqual(gray);
    expect(decode({ ...shape, signed: true }, uid, stream).data).toEqual(
      Int16Array.from(gray, (value) => (value << 20) >> 20),
    );
  });

  it.each([
    ['rows', { rows: 47 }, 'The object states 47 for rows, its compressed stream 48'],
    ['columns', { columns: 63 }, 'The object states 63 for columns, its compressed stream 64'],
    ['bits', { bitsStored: 11, highBit: 10 }, 'The object states 11 for bits, its compressed stream 12'],
    ['sign', { signed: true }, 'The object states true for sign, its compressed stream false'],
    [
      'samples',
      { samplesPerPixel: 3, photometricInterpretation: 'RGB' },
      'The object states 3 for samples of a pixel, its compressed stream 1',
    ],
    ['colours', { photometricInterpretation: 'YBR_RCT' }, 'The object states YBR_RCT, its codestream none'],
  ] as const)('is refused where its %s are not those of its object', async (_, changes, words) => {
    for (const [codec, uid] of [
      ['htj2k', '1.2.840.10008.1.2.4.201'],
      ['jpeg-2000', '1.2.840.10008.1.2.4.90'],
    ] as const) {
      const stream = await encode(codec, { plain, values: gray });
      expect(() => decode({ ...shape, ...changes }, uid, stream)).toThrow(words);
    }
  });

  it('is refused where it is of another syntax than it is said to be', async () => {
    const [htj2k, ls] = [
      await encode('htj2k', { plain, values: gray }),
      await encode('jpeg-ls', { plain, values: gray }),
    ];
    expect(() => decode(shape, '1.2.840.10008.1.2.4.90', htj2k)).toThrow('another part of JPEG 2000');
    expect(() => decode(shape, '1.2.840.10008.1.2.4.90', ls)).toThrow('does not begin with SOC and SIZ');
    expect(() => decode(shape, '1.2.840.10008.1.2.4.70', ls)).toThrow('not one of process 14');
    expect(() => decode(shape, littleEndian, ls)).toThrow('The frame has');
  });
});
