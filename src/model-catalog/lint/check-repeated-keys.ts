import type { Finding } from '../finding.ts';
import { repeatedKeys } from './repeated-keys.ts';

/** No object may have a key twice, as after copying a feature: everybody reads the last one, and nobody is told. */
export function checkRepeatedKeys(files: ReadonlyMap<string, Uint8Array>): Finding[] {
  return [...files]
    .filter(([file, bytes]) => file.endsWith('.json') && isJson(bytes))
    .flatMap(([file, bytes]) =>
      repeatedKeys(new TextDecoder().decode(bytes)).map(({ path, line }) => ({
        file,
        path,
        message: `is there twice, again in line ${line}, and only the last one counts; rename or remove one`,
      })),
    );
}

/** What is none is reported by load. */
function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false;
  }
}
