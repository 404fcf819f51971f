import type { Finding } from './finding.ts';
import type { GoldenCase, GoldenFile, GoldenFileText } from './golden-case-schema.ts';
import { readNpy } from './read-npy.ts';

/** A golden file by its name; its content is absent where it does not parse. */
interface Golden<Content> {
  readonly file: string;
  readonly content: Content | undefined;
}

/**
 * Golden files with the numbers of their images in the place of the names of `.npy` files, which lie beside them. A finding
 * where one is not there or cannot be read, which leaves its content out, and for one that no case names.
 */
export function readGoldenImages(
  golden: readonly Golden<GoldenFileText>[],
  files: ReadonlyMap<string, Uint8Array>,
  findings: Finding[],
): Golden<GoldenFile>[] {
  const named = new Set<string>();
  const imageOf = (name: string, find: (message: string) => void): GoldenCase['inputs'][string] | undefined => {
    named.add(`golden/${name}`);
    const bytes = files.get(`golden/${name}`);
    if (bytes === undefined) {
      find(`names golden/${name}, which is not there`);
      return undefined;
    }
    try {
      return readNpy(bytes);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      find(`names golden/${name}, which ${error.message}`);
      return undefined;
    }
  };
  const read = golden.map(({ file, content }): Golden<GoldenFile> => {
    if (content === undefined) return { file, content };
    let isWhole = true;
    const cases = content.cases.map((each, index): GoldenCase => {
      const inputs = Object.entries(each.inputs).flatMap(([name, value]) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[name, value] as const];
        const image = imageOf(value.npy, (message) => {
          isWhole = false;
          findings.push({ file, path: `/cases/${index}/inputs/${name}`, message });
        });
        return image === undefined ? [] : [[name, image] as const];
      });
      return { ...each, inputs: Object.fromEntries(inputs) };
    });
    return { file, content: isWhole ? { ...content, cases } : undefined };
  });
  for (const file of files.keys())
    if (/^golden\/.*\.npy$/.test(file) && !named.has(file))
      findings.push({ file, path: '', message: 'is named by no golden case; name it or remove it' });
  return read;
}
