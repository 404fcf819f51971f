import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { AddressDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import { readLookups } from '../../src/model-catalog/read-lookups.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { copyModel } from '../support/model-folder.ts';

const byNumber: AddressDefinition = {
  kind: 'address',
  label: 'Deprivation',
  part: 'postalCode',
  use: ['home'],
  key: [{ shapes: ['99999', '99999-9999'] }, { first: 5 }],
  lookup: {
    table: 'tables/a.json',
    source: 'synthetic',
    licence: 'none needed',
    country: { of: ['US'], unstated: 'in' },
  },
  unit: '1',
  plausible: [1, 10],
};
const byCode: AddressDefinition = {
  kind: 'address',
  label: 'Region',
  part: 'country',
  use: ['home'],
  lookup: {
    table: 'tables/a.csv',
    columns: { key: 'country', value: 'region' },
    source: 'synthetic',
    licence: 'none needed',
    country: { of: ['US'], unstated: 'in' },
  },
  vocabulary: { low: ['low risk'], high: ['high risk'] },
};
const mapOf = (definition: AddressDefinition): FeatureMap => ({
  language: 1,
  features: { place: definition },
  population: { exclude: [], require: [], ranges: [] },
});

function read(definition: AddressDefinition, content: string | Uint8Array) {
  const findings: Finding[] = [];
  const table = definition.lookup?.table ?? '';
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const lookups = readLookups(mapOf(definition), new Map([[table, bytes]]), findings);
  return {
    rows: lookups.get('place'),
    findings: findings.map(({ file, path, message }) => `${file}${path} ${message}`),
  };
}

describe('a table of a model folder', () => {
  it('is read as JSON', () => {
    expect(read(byNumber, '{"00501": 3, "10001": 7.5}')).toEqual({
      rows: new Map([
        ['00501', 3],
        ['10001', 7.5],
      ]),
      findings: [],
    });
  });

  it('is read as CSV, by the names of its columns', () => {
    const csv = '\ufeffname,country,region\r\n"Land, one",AA,low risk\r\n"say ""two""",BB,high risk\r\n';
    expect(read(byCode, csv)).toEqual({
      rows: new Map([
        ['AA', 'low'],
        ['BB', 'high'],
      ]),
      findings: [],
    });
  });

  it.each([
    ['a key that is never looked up', '{"501": 3}', "has the key '501' (501), which is never looked up"],
    ['a key in a longer form than it is looked up', '{"10001-1234": 3}', 'which is never looked up'],
    ['a key twice', '{"10001": 3, "10001": 4}', 'has the key /10001 twice, again in line 1'],
    ['a text for a number', '{"10001": "n/a"}', "has 'n/a' (10001) where a number is needed"],
    ['nothing for a number', '{"10001": ""}', "has '' (10001) where a number is needed"],
    ['null', '{"10001": null}', 'has neither a number nor a text for 10001'],
    ['an implausible number', '{"10001": 70}', 'has 70 (10001), which lies outside what is plausible'],
    ['a list', '[1]', 'must be a JSON object'],
    ['no rows', '{}', 'has no rows'],
    ['no JSON', '{', 'is not JSON'],
    ['no UTF-8', Uint8Array.of(0xff), 'is not UTF-8'],
  ])('is refused with %s', (_, content, message) => {
    const { rows, findings } = read(byNumber, content);
    expect(rows).toBeUndefined();
    expect(findings).toEqual([expect.stringContaining(`tables/a.json ${message}`.replace(/ which.*/, ''))]);
    expect(findings[0]).toContain(message);
  });

  it.each([
    ['a value that is not in the vocabulary', 'country,region\nAA,medium', "has the value 'medium' (line 2)"],
    ['a key twice', 'country,region\nAA,low risk\nBB,low risk\nAA,low risk', 'has the key AA twice, again in line 4'],
    ['too few fields', 'country,region\nAA', 'has 1 fields in line 2, but 2 in the header'],
    ['a column that is not there', 'country,risk\nAA,low risk', 'needs exactly one column region'],
    ['a column that is there twice', 'country,region,region\nAA,low risk,x', 'needs exactly one column region'],
    ['a quote inside a field', 'country,region\nA"A,low risk', 'is no CSV in line 2'],
    ['a header alone', 'country,region\n', 'has no rows'],
    ['nothing', '', 'needs exactly one column country'],
  ])('is refused as CSV with %s', (_, content, message) => {
    expect(read(byCode, content).findings).toEqual([expect.stringContaining(message)]);
  });

  it('is refused where nobody reads it, and where it is not there', () => {
    const findings: Finding[] = [];
    readLookups(mapOf(byNumber), new Map([['tables/b.json', new Uint8Array()]]), findings);
    expect(findings).toEqual([
      {
        file: 'feature-map.json',
        path: '/features/place/lookup/table',
        message: 'names tables/a.json, which is not in the folder',
      },
      { file: 'tables/b.json', path: '', message: 'is looked up by no feature' },
    ]);
  });

  it('is part of the folder: a changed table is refused by its checksum, and changes the digest', async () => {
    await using folder = await copyModel('kfre-4');
    await folder.edit('feature-map.json', ({ features }) => {
      features.deprivation = byNumber;
    });
    await folder.write('tables/a.json', '{"10001": 7}');
    await expect(readModelFolder(folder.dir)).rejects.toThrow('tables/a.json');
    await folder.seal();
    const { lookups, digest } = await readModelFolder(folder.dir);
    expect(lookups.get('deprivation')).toEqual(new Map([['10001', 7]]));
    await folder.write('tables/a.json', '{"10001": 8}');
    await expect(readModelFolder(folder.dir)).rejects.toThrow('tables/a.json: has a wrong checksum');
    await folder.seal();
    expect((await readModelFolder(folder.dir)).digest).not.toBe(digest);
  });
});

describe('an address feature is refused', () => {
  const { unit: _unit, plausible: _plausible, ...withoutUnit } = byNumber;
  const { lookup: _lookup, ...withoutTable } = byCode;
  it.each<[string, AddressDefinition, string]>([
    [
      'as a number without a table',
      { ...withoutTable, vocabulary: undefined, unit: '1', plausible: [0, 1] },
      '/lookup',
    ],
    ['as a number without a plausible range', { ...withoutUnit, unit: '1' }, '/plausible'],
    ['as a number with a vocabulary', { ...byNumber, vocabulary: { low: ['1'] } }, '/vocabulary'],
    ['as a code without a vocabulary', withoutUnit, '/vocabulary'],
    ['as a code with a text for two values', { ...byCode, vocabulary: { low: ['x'], high: ['x'] } }, '/vocabulary'],
    [
      'as a code with a text that is never met',
      { ...withoutTable, key: ['upper-case'], vocabulary: { low: ['Aa'] } },
      '/vocabulary',
    ],
    [
      'as a code that is imputed by a number',
      { ...byCode, missing: { impute: [{ because: ['not-found'], value: 1, source: 'x' }] } },
      '/missing',
    ],
  ])('%s', (_, definition, path) => {
    const found = checkFeatureMap(mapOf(definition), []).map((finding) => finding.path);
    expect(found).toContain(`/features/place${path}`);
  });
});
