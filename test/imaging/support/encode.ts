import { createRequire } from 'node:module';

const codec = createRequire(createRequire(import.meta.url).resolve('@cornerstonejs/dicom-codec'));

/** What the encoders are told of a frame. */
export interface Plain {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned: boolean;
}

interface Encoder {
  getDecodedBuffer(frame: Plain & { isUsingColorTransform: boolean }): Uint8Array;
  getEncodedBuffer(): Uint8Array;
  encode(): void;
  setQuality?(reversible: boolean, step: number): void;
  setProgressionOrder?(order: number): void;
  setBlockDimensions?(size: { width: number; height: number }): void;
}

const encoders = {
  htj2k: ['@cornerstonejs/codec-openjph/wasmjs', 'HTJ2KEncoder'],
  'jpeg-2000': ['@cornerstonejs/codec-openjpeg/wasmjs', 'J2KEncoder'],
  'jpeg-ls': ['@cornerstonejs/codec-charls/wasmjs', 'JpegLSEncoder'],
} as const;

/** Encodes a frame without loss by the codec's own encoder. */
export async function encode(
  name: keyof typeof encoders,
  {
    plain,
    values,
    colourTransform = false,
    progression,
    block,
  }: {
    plain: Plain;
    values: Uint8Array | Uint16Array | Int16Array;
    colourTransform?: boolean;
    /** JPEG 2000: 0 to 4, LRCP to CPRL. */
    progression?: number;
    /** JPEG 2000: width and height of a code-block. */
    block?: { width: number; height: number };
  },
): Promise<Uint8Array> {
  const [glue, encoderName] = encoders[name];
  const module = (await codec(glue)({ print: () => undefined })) as Record<string, new () => Encoder>;
  const encoder = new (module[encoderName] as new () => Encoder)();
  const buffer = encoder.getDecodedBuffer({ ...plain, isUsingColorTransform: colourTransform });
  buffer.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  encoder.setQuality?.(true, 0);
  if (progression !== undefined) encoder.setProgressionOrder?.(progression);
  if (block !== undefined) encoder.setBlockDimensions?.(block);
  encoder.encode();
  return Uint8Array.from(encoder.getEncodedBuffer());
}

/** A picture with edges, a gradient and some noise that is the same each time. */
export function picture(length: number, largest: number): number[] {
  let state = 7;
  return Array.from({ length }, (_, at) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    const noise = (state / 2 ** 31) * largest * 0.02;
    return Math.floor(Math.min(largest, (at % 97 < 40 ? 0.25 : 0.6) * largest + ((at / length) * largest) / 4 + noise));
  });
}
