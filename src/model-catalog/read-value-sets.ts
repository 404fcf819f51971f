import type { Finding } from './finding.ts';
import { parseValueSet } from './parse-model-json.ts';
import { type ValueSetCode, valueSetCodes } from './value-set-codes.ts';

/** One file of `valueSets/`. */
export interface ReadValueSet {
  /** `statins` for valueSets/statins.json */
  readonly name: string;
  readonly file: string;
  /** Its canonical URL and version, as it gives them. */
  readonly url?: string;
  readonly version?: string;
  readonly codes: readonly ValueSetCode[];
  /** `system|code`, each once; absent where something is wrong with the file. */
  readonly tokens: readonly string[] | undefined;
}

/** Every value set of a version folder, in the order of their names. */
export function readValueSets(files: ReadonlyMap<string, Uint8Array>, findings: Finding[]): ReadValueSet[] {
  const read: ReadValueSet[] = [];
  for (const [file, bytes] of files) {
    const [, name] = /^valueSets\/(.+)\.json$/.exec(file) ?? [];
    if (name === undefined) continue;
    const before = findings.length;
    const valueSet = parseValueSet(file, bytes, findings);
    const codes = valueSet === undefined ? [] : valueSetCodes(file, valueSet, findings);
    const tokens = [...new Set(codes.map(({ system, code }) => `${system}|${code}`))];
    const { url, version } = valueSet ?? {};
    read.push({
      name,
      file,
      ...(url === undefined ? {} : { url }),
      ...(version === undefined ? {} : { version }),
      codes,
      tokens: findings.length === before ? tokens : undefined,
    });
  }
  return read;
}
