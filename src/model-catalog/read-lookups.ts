import { isPlainNumber } from '../fhir/plain-number.ts';
import type { AddressDefinition } from './address-schema.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import { compileKey } from './lookup-key.ts';
import { parseLookupTable, type TableRow } from './parse-lookup-table.ts';

/** What a table gives for a key: a number in the unit of the feature, or a code of its vocabulary. */
export type Lookup = ReadonlyMap<string, number | string>;

/** The tables of a feature map, by the name of the feature that looks something up. */
export type Lookups = ReadonlyMap<string, Lookup>;

const isTable = (file: string): boolean => file.startsWith('tables/');

/**
 * Reads the tables that features look things up in, and checks them whole: keys in the form in which they are looked up,
 * each once, and values that the feature can have. A table that cannot be used is left out, with a finding for it.
 */
export function readLookups(map: FeatureMap, files: ReadonlyMap<string, Uint8Array>, findings: Finding[]): Lookups {
  const lookups = new Map<string, Lookup>();
  const read = new Set<string>();
  for (const [name, definition] of Object.entries(map.features)) {
    if (definition.kind !== 'address' || definition.lookup === undefined) continue;
    const { table, columns } = definition.lookup;
    read.add(table);
    const bytes = files.get(table);
    if (bytes === undefined) {
      const message = `names ${table}, which is not in the folder`;
      findings.push({ file: 'feature-map.json', path: `/features/${name}/lookup/table`, message });
      continue;
    }
    try {
      lookups.set(name, lookupOf(parseLookupTable(table, bytes, columns), definition));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      findings.push({ file: table, path: '', message: `${error.message} (read for ${name})` });
    }
  }
  for (const file of files.keys())
    if (isTable(file) && !read.has(file)) findings.push({ file, path: '', message: 'is looked up by no feature' });
  return lookups;
}

/** @throws SyntaxError for the first row that cannot be used */
function lookupOf(rows: readonly TableRow[], definition: AddressDefinition): Lookup {
  if (rows.length === 0) throw new SyntaxError('has no rows');
  const keyOf = compileKey(definition.key);
  const lookup = new Map<string, number | string>();
  for (const { key, value, place } of rows) {
    if (keyOf(key) !== key)
      throw new SyntaxError(`has the key '${key}' (${place}), which is never looked up: write it as \`key\` makes it`);
    if (lookup.has(key)) throw new SyntaxError(`has the key ${key} twice, again in ${place}`);
    lookup.set(
      key,
      definition.unit === undefined ? codeOf(value, place, definition) : numberOf(value, place, definition),
    );
  }
  return lookup;
}

function codeOf(value: string | number, place: string, { vocabulary = {} }: AddressDefinition): string {
  const code = Object.keys(vocabulary).find((known) => vocabulary[known]?.includes(String(value)));
  if (code === undefined) throw new SyntaxError(`has the value '${value}' (${place}), which is not in the vocabulary`);
  return code;
}

const decimal = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

function numberOf(value: string | number, place: string, { plausible }: AddressDefinition): number {
  const number = typeof value === 'number' || decimal.test(value) ? Number(value) : Number.NaN;
  if (!isPlainNumber(number)) throw new SyntaxError(`has '${value}' (${place}) where a number is needed`);
  if (plausible !== undefined && (number < plausible[0] || number > plausible[1]))
    throw new SyntaxError(`has ${number} (${place}), which lies outside what is plausible`);
  return number;
}
