import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ort, runtimeVersion } from '../onnx-runtime.ts';

/** What is known of the ONNX Runtime that is installed, without opening anything. */
export interface RuntimeFacts {
  /** `1.30.0`. */
  readonly version: string;
  /** Of the package. */
  readonly folder: string;
  /** Where the loader looks for the libraries of the providers. */
  readonly libraryFolder: string;
  /** The shared libraries there. */
  readonly libraries: readonly string[];
  /** Providers that it was built with; says nothing about whether they work. */
  readonly compiled: readonly string[];
}

export async function runtimeFacts(): Promise<RuntimeFacts> {
  const folder = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const [napi = 'napi-v6'] = (await readdir(path.join(folder, 'bin'))).filter((name) => name.startsWith('napi-'));
  const libraryFolder = path.join(folder, 'bin', napi, process.platform, process.arch);
  const libraries = (await readdir(libraryFolder)).filter((name) => /\.(so|dylib|dll)/.test(name));
  const compiled = ort.listSupportedBackends().map(({ name }) => name);
  return { version: runtimeVersion, folder, libraryFolder, libraries, compiled };
}
