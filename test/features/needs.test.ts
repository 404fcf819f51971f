import { describe, expect, it } from 'vitest';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import { parseFeatureMap } from '../../src/model-catalog/parse-model-json.ts';
import { readLookups } from '../../src/model-catalog/read-lookups.ts';
import { patient } from '../support/build-record.ts';
import { extractAll } from '../support/extract-one.ts';

// Needs of real models, each written as a feature map and tried on small records.

/** A map as its author writes it, parsed as the server parses the file. */
function parsedMap(features: Record<string, FeatureDefinition>): FeatureMap {
  const findings: Finding[] = [];
  const map = { language: 1, features, population: { exclude: [], require: [], ranges: [] } };
  const parsed = parseFeatureMap('feature-map.json', Buffer.from(JSON.stringify(map)), findings);
  expect(findings).toEqual([]);
  if (parsed === undefined) throw new Error('the map was not parsed');
  return parsed;
}

describe('the social deprivation index of PREVENT from the postal code', () => {
  const map = parsedMap({
    socialDeprivationIndex: {
      kind: 'address',
      label: 'Social deprivation index (decile)',
      part: 'postalCode',
      use: ['home', 'unstated'],
      key: ['trim', { shapes: ['99999', '99999-9999'] }, { first: 5 }],
      lookup: {
        table: 'tables/sdi.csv',
        columns: { key: 'zcta', value: 'decile' },
        source: 'Synthetic, made for this test; the index itself is published by the Robert Graham Center',
        licence: 'none needed',
      },
      unit: '1',
      plausible: [1, 10],
    },
  });
  const findings: Finding[] = [];
  const synthetic = 'zcta,population,decile\n00601,17113,9\n60601,15083,2\n';
  const lookups = readLookups(map, new Map([['tables/sdi.csv', Buffer.from(synthetic)]]), findings);
  const index = (...address: { use?: 'home' | 'old' | 'billing'; postalCode?: string; country?: string }[]) =>
    extractAll(map.features, [patient({ address })], { lookups }).features.get('socialDeprivationIndex');

  it('is that of the area, whether the code has five digits or nine', () => {
    expect(findings).toEqual([]);
    expect(index({ use: 'home', postalCode: '00601' })).toMatchObject({ state: 'derived', value: 9 });
    expect(index({ use: 'home', postalCode: '60601-1234' })).toMatchObject({ value: 2 });
  });

  it('is a reason, not a middle decile, where the address does not say it', () => {
    expect(index()).toMatchObject({ state: 'missing', because: 'not-found' });
    expect(index({ postalCode: '99950' })).toMatchObject({ because: 'not-in-table' });
    expect(index({ postalCode: '601' })).toMatchObject({ because: 'undecodable' });
    expect(index({ postalCode: '00601' }, { postalCode: '60601' })).toMatchObject({ because: 'conflict' });
    expect(index({ use: 'billing', postalCode: '60601' })).toMatchObject({ because: 'not-found' });
  });
});
