import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ImageFault } from '../image-fault.ts';

/** What a decoder found in the header of its stream. */
export interface CodecFrame {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned: boolean;
}

/** A decoder inside WebAssembly; its buffers lie in the memory there and are gone with `delete`. */
interface CodecDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): CodecFrame;
  delete(): void;
}

/** The module that Emscripten fills in. */
interface CodecModule {
  HEAPU8?: Uint8Array;
  print(text: string): void;
  printErr(text: string): void;
  getExceptionMessage?(exception: number): string;
  instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): object;
  [decoder: string]: unknown;
}

const codecs = {
  'jpeg-ls': {
    package: '@cornerstonejs/codec-charls',
    glue: 'decodewasmjs',
    wasm: 'decodewasm',
    decoder: 'JpegLSDecoder',
  },
  'jpeg-2000': {
    package: '@cornerstonejs/codec-openjpeg',
    glue: 'decodewasmjs',
    wasm: 'decodewasm',
    decoder: 'J2KDecoder',
  },
  htj2k: { package: '@cornerstonejs/codec-openjph', glue: 'wasmjs', wasm: 'wasm', decoder: 'HTJ2KDecoder' },
  jpeg: {
    package: '@cornerstonejs/codec-libjpeg-turbo-8bit',
    glue: 'decodewasmjs',
    wasm: 'decodewasm',
    decoder: 'JPEGDecoder',
  },
} as const;

/** A codec of the cornerstone project. */
export type CodecName = keyof typeof codecs;

/** The codecs are those that dicom-codec is pinned to, wherever a package manager put them. */
const requireCodec = createRequire(createRequire(import.meta.url).resolve('@cornerstonejs/dicom-codec'));

/** Memory of WebAssembly grows and never shrinks: past this an instance is left to the garbage collector. */
const largestHeapBytes = 2 ** 28;

/** What is compiled stays for the life of a thread; instances stay while they are sound. */
const compiled = new Map<CodecName, WebAssembly.Module>();
const loaded = new Map<CodecName, LoadedCodec>();

interface LoadedCodec {
  readonly module: CodecModule;
  /** What the codec printed: these codecs print their warnings, and go on. */
  readonly printed: string[];
}

/** What came out: a copy of the bytes, and the header. */
export interface CodecResult {
  readonly bytes: Uint8Array;
  readonly frame: CodecFrame;
}

/**
 * Runs a decoder once over one stream. An instance that has thrown or warned is not used again.
 * @throws ImageFault `image-damaged` with the words of the codec where it throws, prints a warning or gives nothing
 */
export function runCodec(name: CodecName, encoded: Uint8Array): CodecResult {
  const codec = loaded.get(name) ?? load(name);
  loaded.delete(name);
  const result = decode(name, { codec, encoded });
  if ((codec.module.HEAPU8?.length ?? Number.POSITIVE_INFINITY) <= largestHeapBytes) loaded.set(name, codec);
  return result;
}

function decode(name: CodecName, { codec, encoded }: { codec: LoadedCodec; encoded: Uint8Array }): CodecResult {
  const { module, printed } = codec;
  const Decoder = module[codecs[name].decoder] as new () => CodecDecoder;
  let result: CodecResult;
  try {
    const decoder = new Decoder();
    decoder.getEncodedBuffer(encoded.length).set(encoded);
    decoder.decode();
    // The buffer is a view of the decoder's memory, clamped where it is one of libjpeg-turbo.
    result = { bytes: Uint8Array.from(decoder.getDecodedBuffer()), frame: { ...decoder.getFrameInfo() } };
    decoder.delete();
  } catch (error) {
    throw new ImageFault('image-damaged', `The ${name} decoder failed: ${wordsOf(module, error)}`, { cause: error });
  }
  const warnings = printed.splice(0).filter((line) => !/^$|^\[INFO\](?! Stream reached its end)/.test(line));
  if (warnings.length > 0)
    throw new ImageFault('image-damaged', `The ${name} decoder warned: ${warnings.join('; ').slice(0, 300)}`);
  return result;
}

/** An exception of C++ comes out as the address of it. */
function wordsOf(module: CodecModule, error: unknown): string {
  if (typeof error === 'number') return module.getExceptionMessage?.(error) ?? 'it threw an exception of C++';
  return error instanceof Error ? error.message : String(error);
}

function load(name: CodecName): LoadedCodec {
  const codec = codecs[name];
  const wasm = compiled.get(name) ?? compile(name);
  const printed: string[] = [];
  const module: CodecModule = {
    print: (text) => printed.push(text.trim()),
    printErr: (text) => printed.push(text.trim()),
    // Given by the caller, the instance is there when the factory returns, and decoding needs no promise.
    instantiateWasm: (imports, done) => {
      const instance = new WebAssembly.Instance(wasm, imports);
      done(instance);
      return instance.exports;
    },
  };
  const factory = requireCodec(`${codec.package}/${codec.glue}`) as (module: CodecModule) => Promise<unknown>;
  void factory(module);
  if (module[codec.decoder] === undefined) throw new Error(`${codec.package} did not load at once`);
  return { module, printed };
}

function compile(name: CodecName): WebAssembly.Module {
  const { package: from, wasm } = codecs[name];
  const module = new WebAssembly.Module(readFileSync(requireCodec.resolve(`${from}/${wasm}`)));
  compiled.set(name, module);
  return module;
}
