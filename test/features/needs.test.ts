import type { Medication, MedicationStatement, Observation } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { extractFeatures } from '../../src/features/extract-features.ts';
import { inputRow } from '../../src/inference/score.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import { parseFeatureMap } from '../../src/model-catalog/parse-model-json.ts';
import { readLookups } from '../../src/model-catalog/read-lookups.ts';
import { resolveFeatureMap } from '../../src/model-catalog/resolve-feature-map.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import {
  appointment,
  encounter,
  medicationRequest,
  observation,
  patient,
  procedure,
  recordOf,
} from '../support/build-record.ts';
import { extractAll, noPopulation } from '../support/extract-one.ts';

// Needs of real models, each written as a feature map and tried on small records.

/** A map as its author writes it, parsed as the server parses the file. */
function parsedMap(features: Record<string, FeatureDefinition>): FeatureMap {
  const findings: Finding[] = [];
  const map = { language: 1, features, population: { exclude: [], require: [], ranges: [] } };
  const parsed = parseFeatureMap('feature-map.json', Buffer.from(JSON.stringify(map)), findings);
  expect(findings).toEqual([]);
  const resolved = parsed && resolveFeatureMap(parsed).map;
  if (resolved === undefined) throw new Error('the map was not parsed');
  return resolved;
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
        country: { of: ['US', 'USA'], unstated: 'in' },
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
    nightsOfStay: { kind: 'encounter', label: 'Nights of the stay', pick: 'nights' },
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
    expect(read.get('nightsOfStay')).toMatchObject({ value: 7 });
  });

  it('says nothing of a stay that the call does not name', () => {
    for (const value of extractAll(features, record).features.values())
      expect(value).toMatchObject({ state: 'missing', because: 'no-encounter' });
  });
});

describe('NEWS2 from one set of vitals with oxygen by device or flow', () => {
  // LOINC for what vital sign profiles measure; devices and levels of consciousness are of a synthetic system.
  const ward = 'https://example.org/fhir/CodeSystem/ward';
  const ucum = (value: number, code: string) => ({ value, unit: code, code, system: 'http://unitsofmeasure.org' });
  const vital = (
    label: string,
    code: string,
    unit: string,
    plausible: [number, number],
    parts: object = {},
  ): FeatureDefinition => ({
    kind: 'observation',
    label,
    unit,
    codes: [`http://loinc.org|${code}`],
    window: 'P1D',
    pick: 'latest',
    together: 'vitals',
    plausible,
    missing: 'abstain',
    ...parts,
  });
  const features: FeatureMap['features'] = {
    respiratoryRate: vital('Respiratory rate', '9279-1', '/min', [1, 100]),
    oxygenSaturation: vital('Oxygen saturation', '59408-5', '%', [30, 100]),
    temperature: vital('Temperature', '8310-5', 'Cel', [25, 45]),
    systolicPressure: vital('Systolic blood pressure', '8480-6', 'mm[Hg]', [30, 350], {
      component: { panels: ['http://loinc.org|85354-9'], codes: ['http://loinc.org|8480-6'] },
    }),
    pulse: vital('Pulse', '8867-4', '/min', [10, 350]),
    consciousness: {
      kind: 'category',
      label: 'Consciousness',
      codes: [`${ward}|acvpu`],
      levels: {
        alert: [`${ward}|alert`],
        confusion: [`${ward}|new-confusion`],
        voice: [`${ward}|voice`],
        pain: [`${ward}|pain`],
        unresponsive: [`${ward}|unresponsive`],
      },
      unseen: 'abstain',
      window: 'P1D',
      pick: 'latest',
      together: 'vitals',
      missing: 'abstain',
    },
    oxygen: {
      kind: 'answer',
      label: 'Oxygen given',
      codes: [`${ward}|oxygen-device`, 'http://loinc.org|3151-8'],
      component: { panels: ['http://loinc.org|59408-5'], codes: ['http://loinc.org|3151-8'] },
      yes: [`${ward}|nasal-cannula`, `${ward}|mask`],
      no: [`${ward}|room-air`],
      yesAbove: { limit: 0, unit: 'L/min', plausible: [0, 100] },
      window: 'P1D',
      pick: 'latest',
      together: 'vitals',
      missing: 'abstain',
    },
    consciousnessPoints: {
      kind: 'derived',
      label: 'Points of consciousness',
      unit: '1',
      expression: ['if-equal', 'consciousness', 'alert', 0, 3],
      source: 'shows that a level can be counted with',
    },
  };
  const map: FeatureMap = {
    language: 1,
    panels: { vitals: { by: 'time', maxSkew: 'PT15M' } },
    features,
    population: noPopulation,
  };
  const columns = [
    { feature: 'respiratoryRate' },
    { feature: 'oxygenSaturation' },
    { feature: 'oxygen' },
    { feature: 'systolicPressure' },
    { feature: 'pulse' },
    { feature: 'consciousness', encode: { alert: 0, confusion: 1, voice: 1, pain: 1, unresponsive: 1 } },
    { feature: 'temperature' },
  ];
  const extract = (resources: readonly RecordResource[]) => {
    expect(checkFeatureMap(map, ['outcome'])).toEqual([]);
    const manifest = {
      tensors: {
        input: { name: 'x', type: 'float64' as const, columns },
        output: { name: 'y', type: 'float64' as const, columns: 1 },
      },
      outcomes: [{ id: 'outcome', label: 'outcome', kind: 'probability' as const, column: 0, horizon: 'P1D' }],
    };
    return extractFeatures(recordOf(resources), compileFeatureMap(map), manifest, new Map(), 'UTC');
  };
  const at = (minute: number, hour = 8) =>
    `2026-03-01T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00Z`;
  const ofWard = (code: string, value: string, when: string): Observation =>
    observation('', undefined, when, {
      code: { coding: [{ system: ward, code }] },
      valueCodeableConcept: { coding: [{ system: ward, code: value }] },
    });
  const pressure = (value: number, when: string) =>
    observation('85354-9', undefined, when, {
      component: [
        { code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] }, valueQuantity: ucum(value, 'mm[Hg]') },
      ],
    });
  const set = (hour: number, pulse: number, level = 'alert') => [
    observation('9279-1', ucum(18, '/min'), at(0, hour)),
    observation('59408-5', ucum(95, '%'), at(1, hour)),
    observation('8310-5', ucum(98.6, '[degF]'), at(2, hour)),
    pressure(120, at(3, hour)),
    observation('8867-4', ucum(pulse, '/min'), at(4, hour)),
    ofWard('acvpu', level, at(5, hour)),
  ];
  const byDevice = (code: string, hour = 8) => ofWard('oxygen-device', code, at(6, hour));
  const byFlow = (litres: number, hour = 8) => observation('3151-8', ucum(litres, 'L/min'), at(6, hour));

  it.each([
    ['room air', byDevice('room-air'), 0],
    ['a mask', byDevice('mask'), 1],
    ['2 L/min', byFlow(2), 1],
    ['0 L/min', byFlow(0), 0],
  ])('takes every input of one set: %s', (_, oxygen, given) => {
    const inputs = extract([...set(8, 90, 'voice'), oxygen]);
    expect(inputs.verdicts.get('outcome')).toEqual({ state: 'score' });
    const row = inputRow(columns, inputs.features);
    expect(row.map((value) => Math.round(Number(value) * 1e6) / 1e6)).toEqual([18, 95, given, 120, 90, 1, 37]);
    expect(inputs.features.get('consciousnessPoints')).toMatchObject({ value: 3 });
  });

  it('finds the flow where it is a component of the oxygen saturation', () => {
    const [rate, , ...others] = set(8, 90);
    const saturation = observation('59408-5', ucum(95, '%'), at(1), {
      component: [
        { code: { coding: [{ system: 'http://loinc.org', code: '3151-8' }] }, valueQuantity: ucum(4, 'L/min') },
      ],
    });
    if (rate === undefined) throw new Error('a set begins with the respiratory rate');
    expect(extract([rate, saturation, ...others]).features.get('oxygen')).toMatchObject({ value: true });
  });

  it('never mixes two sets: a newer pulse or level of consciousness alone is not taken', () => {
    const later = [observation('8867-4', ucum(140, '/min'), at(0, 11)), ofWard('acvpu', 'unresponsive', at(1, 11))];
    const { features: found } = extract([...set(8, 90), byDevice('room-air'), ...later]);
    expect(found.get('pulse')).toMatchObject({ value: 90 });
    expect(found.get('consciousness')).toMatchObject({ value: 'alert' });
  });

  it('takes the newest of two whole sets', () => {
    const { features: found } = extract([...set(10, 110, 'pain'), byFlow(6, 10), ...set(8, 90), byDevice('room-air')]);
    expect(found.get('pulse')).toMatchObject({ value: 110 });
    expect(found.get('consciousness')).toMatchObject({ value: 'pain' });
    expect(found.get('oxygen')).toMatchObject({ value: true });
  });

  it('has no set without a word about oxygen', () => {
    const { features: found, verdicts } = extract(set(8, 90));
    expect(found.get('oxygen')).toMatchObject({ because: 'not-found' });
    expect(found.get('pulse')).toMatchObject({ because: 'not-together' });
    expect(verdicts.get('outcome')).toMatchObject({ state: 'insufficient-data' });
  });

  it('abstains where device and flow of one time disagree, and where a level is not known', () => {
    expect(extract([...set(8, 90), byDevice('room-air'), byFlow(4)]).features.get('oxygen')).toMatchObject({
      because: 'conflict',
    });
    expect(extract([...set(8, 90, 'drowsy'), byFlow(4)]).features.get('consciousness')).toMatchObject({
      because: 'not-in-vocabulary',
    });
  });
});

describe('the next appointment of a no-show model', () => {
  const map = parsedMap({
    leadTime: { kind: 'appointment', label: 'Days from booking to appointment', pick: 'lead-time', per: 'd' },
    weekday: { kind: 'appointment', label: 'Day of the week', pick: 'weekday' },
    missed: { kind: 'appointment', label: 'Missed appointments', pick: 'no-shows', window: 'P2Y' },
  });

  it('has a lead time, a day in the zone of the site, and a history', () => {
    const record = [
      appointment('2026-03-16T23:30:00Z', { created: '2026-02-19T23:30:00Z' }),
      appointment('2026-06-01T09:00:00Z'),
      appointment('2025-09-01T09:00:00Z', { status: 'noshow', created: '2025-08-01' }),
    ];
    const read = extractAll(map.features, record, { timeZone: 'Europe/Vienna' }).features;
    expect(read.get('leadTime')).toMatchObject({ value: 25 });
    expect(read.get('weekday')).toMatchObject({ value: 'tuesday' });
    expect(read.get('missed')).toMatchObject({ value: 1 });
  });
});

describe('a statin by its class, with a referenced Medication', () => {
  const rxNorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
  const map = parsedMap({
    statin: {
      kind: 'medication',
      label: 'Statin',
      from: ['request', 'statement'],
      codes: [`${rxNorm}|312961`, `${rxNorm}|617310`],
      ingredients: [`${rxNorm}|36567`, `${rxNorm}|83367`],
      status: { request: ['active'], statement: ['active'] },
      suspectText: ['vastatin'],
      absent: { assume: false, encounterWithin: 'P2Y' },
    },
  });
  const visit = encounter('2026-01-10T09:00:00Z', '2026-01-10T09:30:00Z');
  const tablet = (ingredient: string, parts: Partial<Medication> = {}): Medication => ({
    resourceType: 'Medication',
    id: 'tablet',
    code: { coding: [{ system: 'http://hospital.example/drugs', code: '4711' }], text: 'tablet of the house' },
    ingredient: [{ itemCodeableConcept: { coding: [{ system: rxNorm, code: ingredient }], text: 'ingredient' } }],
    ...parts,
  });
  const reference = { medicationReference: { reference: 'Medication/tablet' } };
  const order = medicationRequest(undefined, '2025-06-01', reference);
  const statement: MedicationStatement = {
    resourceType: 'MedicationStatement',
    id: 'reported',
    status: 'active',
    subject: { reference: 'Patient/1' },
    effectivePeriod: { start: '2025-06-01' },
    ...reference,
  };
  const statinOf = (...resources: RecordResource[]) =>
    extractAll(map.features, [...resources, visit]).features.get('statin');

  it('is yes for an order or a statement of a local product with a statin in it', () => {
    for (const use of [order, statement])
      expect(statinOf(use, tablet('83367'))).toMatchObject({
        state: 'observed',
        value: true,
        at: '2025-06-01',
        sources: [{ reference: `${use.resourceType}/${use.id}` }, { reference: 'Medication/tablet' }],
      });
  });

  it('is no for another ingredient, and no answer where the Medication is not there or reads like a statin', () => {
    for (const use of [order, statement]) {
      expect(statinOf(use, tablet('3407'))).toMatchObject({ state: 'assumed-absent', value: false });
      expect(statinOf(use)).toMatchObject({ state: 'missing', because: 'undecodable' });
      expect(statinOf(use, tablet('3407', { code: { text: 'Cerivastatin 0.3 mg' } }))).toMatchObject({
        because: 'undecodable',
      });
    }
  });

  it('is no for an order not to give it, or one that is only proposed', () => {
    expect(statinOf({ ...order, doNotPerform: true }, tablet('83367'))).toMatchObject({ state: 'assumed-absent' });
    expect(statinOf({ ...order, intent: 'proposal' }, tablet('83367'))).toMatchObject({ state: 'assumed-absent' });
  });
});

describe('a vitals sequence with fill limit', () => {
  const vital = (
    label: string,
    code: string,
    unit: string,
    plausible: [number, number],
    typical: number,
  ): FeatureDefinition => ({
    kind: 'sequence',
    label,
    unit,
    codes: [`http://loinc.org|${code}`],
    step: 'PT1H',
    steps: 48,
    each: 'mean',
    fill: { limit: 6 },
    empty: { value: typical, since: 48, source: 'Synthetic, made for this test' },
    atLeast: 4,
    plausible,
    missing: 'abstain',
  });
  const map = parsedMap({
    pulse: vital('Pulse over two days', '8867-4', '/min', [10, 350], 80),
    temperature: vital('Temperature over two days', '8310-5', 'Cel', [25, 45], 37),
  });
  const ucum = (value: number, code: string) => ({ value, unit: code, code, system: 'http://unitsofmeasure.org' });
  const asOf = Date.parse('2026-03-01T12:00:00Z');
  const timeAt = (minutes: number) => new Date(asOf - minutes * 60_000).toISOString();
  const pulse = (minutes: number, value: number) => observation('8867-4', ucum(value, '/min'), timeAt(minutes));
  const pulses = [pulse(2000, 70), pulse(1000, 80), pulse(30, 100), pulse(20, 110), pulse(90, 90)];
  const degrees = [200, 400, 600, 800].map((minutes) => observation('8310-5', ucum(98.6, '[degF]'), timeAt(minutes)));
  /** [T, C]: for each hour the pulse and the temperature, each with mask and hours since. */
  const columns = Array.from({ length: 48 }, (_, bin) =>
    ['pulse', 'temperature'].flatMap((feature) =>
      (['value', 'mask', 'since'] as const).map((channel) => ({ feature, at: { bin, channel } })),
    ),
  ).flat();

  it('fills 288 columns, hour by hour, and takes no value for longer than the limit', () => {
    expect(checkFeatureMap(map, [])).toEqual([]);
    const { features } = extractAll(map.features, [...pulses, ...degrees]);
    const row = inputRow(columns, features);
    expect(row).toHaveLength(288);
    const hour = (bin: number) => row.slice(bin * 6, bin * 6 + 6).map((value) => Math.round(Number(value) * 1e6) / 1e6);
    expect(hour(0)).toEqual([80, 0, 48, 37, 0, 48]);
    expect(hour(14)).toEqual([70, 1, 0, 37, 0, 48]);
    expect(hour(20)).toEqual([70, 0, 6, 37, 0, 48]);
    expect(hour(21)).toEqual([80, 0, 7, 37, 0, 48]);
    expect(hour(47)).toEqual([105, 1, 0, 37, 0, 3]);
    expect(features.get('pulse')).toMatchObject({
      value: 4,
      detail: 'measured in 4 of 48 bins of 1 hour before as-of; 12 filled, 32 empty',
    });
  });

  it('is a reason where too few hours hold a measurement, or one cannot be read', () => {
    const { features } = extractAll(map.features, [
      ...pulses.slice(0, 3),
      ...degrees,
      observation('8310-5', { value: 37 }, timeAt(100)),
    ]);
    expect(features.get('pulse')).toMatchObject({ state: 'missing', because: 'too-few' });
    expect(features.get('temperature')).toMatchObject({ state: 'missing', because: 'unit-missing' });
  });
});
