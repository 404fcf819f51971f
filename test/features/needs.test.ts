import { describe, expect, it } from 'vitest';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import { parseFeatureMap } from '../../src/model-catalog/parse-model-json.ts';
import { readLookups } from '../../src/model-catalog/read-lookups.ts';
import { encounter, observation, patient, procedure } from '../support/build-record.ts';
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

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const inpatient = { class: { system: actCode, code: 'IMP' } };
const gPerDl = (value: number) => ({ value, unit: 'g/dL', system: 'http://unitsofmeasure.org', code: 'g/dL' });

describe('HOSPITAL (doi:10.1001/jamainternmed.2013.3023)', () => {
  const features: Record<string, FeatureDefinition> = {
    hemoglobinAtDischarge: {
      kind: 'observation',
      label: 'Last hemoglobin before discharge',
      unit: 'g/dL',
      codes: ['http://loinc.org|718-7'],
      window: 'P30D',
      anchor: 'encounter-end',
      pick: 'latest',
      analyte: 'hemoglobin',
      plausible: [2, 25],
      missing: 'abstain',
    },
    admissionsBefore: {
      kind: 'encounter',
      label: 'Admissions in the year before this one',
      class: [`${actCode}|IMP`],
      window: 'P1Y',
      anchor: 'encounter-start',
      excludeIndex: true,
      pick: 'count',
      absent: { assume: 0, encounterWithin: 'P2Y' },
    },
    procedureDuringStay: {
      kind: 'procedure',
      label: 'Any procedure during this stay',
      during: 'encounter',
      absent: { assume: false, encounterWithin: 'P2Y' },
    },
    lengthOfStay: { kind: 'encounter', label: 'Length of stay', pick: 'length-of-stay', per: 'd' },
  };
  const index = encounter('2026-02-01T08:00:00Z', '2026-02-08T08:00:00Z', { id: 'index', ...inpatient });
  const record = [
    index,
    encounter('2025-06-01T08:00:00Z', '2025-06-05T08:00:00Z', inpatient),
    encounter('2025-11-01T08:00:00Z', '2025-11-02T08:00:00Z', inpatient),
    encounter('2024-12-01T08:00:00Z', '2025-01-05T08:00:00Z', inpatient),
    encounter('2025-12-01T08:00:00Z', '2025-12-01T09:00:00Z'),
    encounter('2026-02-20T08:00:00Z', '2026-02-22T08:00:00Z', inpatient),
    observation('718-7', gPerDl(9.1), '2026-02-03T06:00:00Z'),
    observation('718-7', gPerDl(11.4), '2026-02-08T06:00:00Z'),
    observation('718-7', gPerDl(13), '2026-02-25T06:00:00Z'),
    procedure('80146002', '2026-02-04', { encounter: { reference: 'Encounter/index' } }),
  ];

  it('takes the last hemoglobin before discharge and the admissions before this one, though there were more since', () => {
    const read = extractAll(features, record, { encounter: index }).features;
    expect(read.get('hemoglobinAtDischarge')).toMatchObject({ state: 'observed', value: 11.4 });
    expect(read.get('admissionsBefore')).toMatchObject({ state: 'derived', value: 2 });
    expect(read.get('procedureDuringStay')).toMatchObject({ state: 'observed', value: true });
    expect(read.get('lengthOfStay')).toMatchObject({ value: 7 });
  });

  it('says nothing of a stay that the call does not name', () => {
    for (const value of extractAll(features, record).features.values())
      expect(value).toMatchObject({ state: 'missing', because: 'no-encounter' });
  });
});
