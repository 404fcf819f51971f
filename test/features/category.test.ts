import type { Observation } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { inputRow } from '../../src/inference/score.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import { checkColumns } from '../../src/model-catalog/check-manifest.ts';
import type { AnswerDefinition, CategoryDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { observation } from '../support/build-record.ts';
import { extractAll, extractOne, noPopulation } from '../support/extract-one.ts';

// The codes are synthetic; those of the panel stand in for any system.
const local = 'https://example.org/fhir/CodeSystem/ward';
const consciousness = (parts: Partial<CategoryDefinition> = {}): CategoryDefinition => ({
  kind: 'category',
  label: 'Consciousness',
  codes: [`${local}|acvpu`],
  levels: {
    alert: [`${local}|a`],
    voice: [`${local}|v`, 'http://snomed.info/sct|300202002'],
    other: [],
  },
  unseen: 'other',
  window: 'P1D',
  pick: 'latest',
  missing: 'abstain',
  ...parts,
});
const coding = (code: string, system = local) => ({ system, code });
const says = (parts: Partial<Observation>, at = '2026-03-01T08:00:00Z') =>
  observation('', undefined, at, { code: { coding: [coding('acvpu')] }, ...parts });
const coded = (code: string, at?: string) => says({ valueCodeableConcept: { coding: [coding(code)] } }, at);

describe('a category', () => {
  it('is the level that lists the code of the newest answer', () => {
    expect(extractOne(consciousness(), [coded('a'), coded('v', '2026-03-01T09:00:00Z')])).toMatchObject({
      state: 'observed',
      value: 'voice',
      at: '2026-03-01T09:00:00Z',
    });
    const sct = coding('300202002', 'http://snomed.info/sct');
    expect(extractOne(consciousness(), [says({ valueCodeableConcept: { coding: [sct] } })])).toMatchObject({
      value: 'voice',
    });
  });

  it('is the level of all others for a code that none lists, or a reason, as the map says', () => {
    expect(extractOne(consciousness(), [coded('x')])).toMatchObject({ state: 'observed', value: 'other' });
    expect(extractOne(consciousness({ unseen: 'abstain' }), [coded('x')])).toMatchObject({
      state: 'missing',
      because: 'not-in-vocabulary',
    });
  });

  it.each([
    ['a text', { valueCodeableConcept: { text: 'alert' } }],
    ['a string', { valueString: 'alert' }],
    ['a boolean', { valueBoolean: true }],
    ['a code of another system', { valueCodeableConcept: { coding: [coding('a', 'http://another')] } }],
    ['a code without a system', { valueCodeableConcept: { coding: [{ code: 'a' }] } }],
    ['two values', { valueCodeableConcept: { coding: [coding('a')] }, valueString: 'alert' }],
    [
      'a reason why there is none',
      { valueCodeableConcept: { coding: [coding('a')] }, dataAbsentReason: { text: '?' } },
    ],
    [
      'an unknown modifier',
      { valueCodeableConcept: { coding: [coding('a')] }, modifierExtension: [{ url: 'http://m' }] },
    ],
  ])('is never the level of all others for %s', (_, parts) => {
    expect(extractOne(consciousness(), [says(parts)])).toMatchObject({ state: 'missing', because: 'undecodable' });
  });

  it('takes no older answer where the newest cannot be read', () => {
    const newest = says({ valueString: 'alert' }, '2026-03-01T09:00:00Z');
    expect(extractOne(consciousness(), [coded('a'), newest])).toMatchObject({ because: 'undecodable' });
  });

  it('conflicts where one answer, or two of one time, say two levels', () => {
    const both = says({ valueCodeableConcept: { coding: [coding('a'), coding('v')] } });
    expect(extractOne(consciousness(), [both])).toMatchObject({ because: 'conflict' });
    for (const resources of [
      [coded('a'), coded('v')],
      [coded('v'), coded('a')],
    ])
      expect(extractOne(consciousness(), resources)).toMatchObject({ because: 'conflict', at: '2026-03-01T08:00:00Z' });
    expect(extractOne(consciousness(), [coded('a'), coded('a')])).toMatchObject({ value: 'alert' });
  });

  it('sees the window, the status and the time as every observation does', () => {
    expect(extractOne(consciousness(), [coded('a', '2026-02-01')])).toMatchObject({ because: 'not-found' });
    expect(extractOne(consciousness(), [coded('a', '2026-03-02')])).toMatchObject({ because: 'not-found' });
    const preliminary = says({ valueCodeableConcept: { coding: [coding('a')] }, status: 'preliminary' });
    expect(extractOne(consciousness(), [preliminary])).toMatchObject({ because: 'not-found' });
    const { effectiveDateTime: _, ...untimed } = coded('a');
    expect(extractOne(consciousness(), [untimed as Observation])).toMatchObject({ because: 'time-unknown' });
    expect(extractOne(consciousness(), [says({})])).toMatchObject({ because: 'not-found' });
  });

  it('may stand in a component', () => {
    const definition = consciousness({ component: { panels: [`${local}|vitals`], codes: [`${local}|acvpu`] } });
    const component = [
      { code: { coding: [coding('acvpu')] }, valueCodeableConcept: { coding: [coding('v')] } },
      { code: { coding: [coding('pain')] }, valueCodeableConcept: { coding: [coding('a')] } },
    ];
    const vitals = says({ code: { coding: [coding('vitals')] }, component });
    expect(extractOne(definition, [vitals])).toMatchObject({ value: 'voice' });
    const codes = recordQueries(
      { language: 1, features: { feature: definition }, population: noPopulation },
      new Date(0),
      [],
    )[0]?.codes;
    expect(codes).toEqual([`${local}|acvpu`, `${local}|vitals`]);
  });

  it('is imputed with a level, by reason', () => {
    const impute = [{ because: ['not-found'], value: 'alert', source: 'test' }];
    expect(extractOne(consciousness({ missing: { impute } }), [])).toMatchObject({ state: 'imputed', value: 'alert' });
    expect(extractOne(consciousness({ missing: { impute } }), [says({ valueString: 'a' })])).toMatchObject({
      because: 'undecodable',
    });
  });

  it('fills one column for each level: the one-hot form', () => {
    const columns = ['alert', 'voice', 'other'].map((level) => ({
      feature: 'feature',
      encode: Object.fromEntries(['alert', 'voice', 'other'].map((each) => [each, each === level ? 1 : 0])),
    }));
    const { features } = extractAll({ feature: consciousness() }, [coded('v')]);
    expect(inputRow(columns, features)).toEqual([0, 1, 0]);
    const map = { language: 1 as const, features: { feature: consciousness() }, population: noPopulation };
    const manifest = {
      tensors: { input: { columns } },
      explanation: { reference: {} },
      outcomes: [],
    } as unknown as Manifest;
    expect(checkColumns(manifest, map)).toEqual([]);
    const partial = [{ feature: 'feature', encode: { alert: 1 } }];
    const gap = {
      tensors: { input: { columns: partial } },
      explanation: { reference: {} },
      outcomes: [],
    } as unknown as Manifest;
    expect(checkColumns(gap, map).map(({ message }) => message)).toEqual([
      'has no number for voice, which feature can be',
      'has no number for other, which feature can be',
    ]);
  });
});

describe('an answer that is a quantity', () => {
  const oxygen = (parts: Partial<AnswerDefinition> = {}): AnswerDefinition => ({
    kind: 'answer',
    label: 'Oxygen given',
    codes: ['http://loinc.org|3151-8', `${local}|device`],
    yes: [`${local}|mask`],
    no: [`${local}|room-air`],
    yesAbove: { limit: 0, unit: 'L/min', plausible: [0, 100] },
    window: 'P1D',
    pick: 'latest',
    missing: 'abstain',
    ...parts,
  });
  const litres = (value: number) => ({ value, unit: 'L/min', code: 'L/min', system: 'http://unitsofmeasure.org' });
  const flow = (valueQuantity: Observation['valueQuantity'], at = '2026-03-01T08:00:00Z') =>
    observation('3151-8', valueQuantity, at);
  const device = (code: string, at = '2026-03-01T08:00:00Z') =>
    says({ code: { coding: [coding('device')] }, valueCodeableConcept: { coding: [coding(code)] } }, at);

  it.each([
    [[flow(litres(2))], true],
    [[flow(litres(0))], false],
    [[device('mask')], true],
    [[device('room-air')], false],
    [[flow(litres(2)), device('mask')], true],
    [[flow(litres(0), '2026-03-01T07:00:00Z'), device('mask')], true],
    [[flow({ ...litres(2000), unit: 'mL/min', code: 'mL/min' })], true],
  ])('is a yes above the limit, beside what codes say (%#)', (resources, value) => {
    expect(extractOne(oxygen(), resources)).toMatchObject({ state: 'observed', value });
  });

  it.each([
    ['device and flow disagree', [flow(litres(0)), device('mask')], 'conflict'],
    ['the quantity has no unit', [flow({ value: 2 })], 'unit-missing'],
    ['it is a limit', [flow({ ...litres(1), comparator: '<' })], 'comparator'],
    ['it cannot be true', [flow(litres(2000))], 'implausible'],
    ['it is negative', [flow(litres(-1))], 'implausible'],
    [
      'it is another quantity',
      [flow({ value: 40, unit: '%', code: '%', system: 'http://unitsofmeasure.org' })],
      'unconvertible',
    ],
    ['the device is in neither list', [device('x')], 'unrecognised-answer'],
  ])('is a reason where %s', (_, resources, because) => {
    expect(extractOne(oxygen(), resources)).toMatchObject({ state: 'missing', because });
  });

  it('is a reason where the map does not say how a quantity answers', () => {
    const { yesAbove: _, ...silent } = oxygen();
    expect(extractOne(silent, [flow(litres(2))])).toMatchObject({ because: 'undecodable' });
  });

  it.each([
    [{ yesAbove: { limit: 0, unit: 'lpm', plausible: [0, 100] } }, '/yesAbove/unit lpm is no UCUM unit'],
    [
      { yesAbove: { limit: 100, unit: 'L/min', plausible: [0, 100] } },
      '/yesAbove/limit must lie inside the plausible 0 to 100, below its end: else one answer never comes',
    ],
    [
      { yesAbove: { limit: 0, unit: 'L/min', plausible: [9, 1] } },
      '/yesAbove/plausible the smallest value must be below the largest',
    ],
  ] as const)('is declared as it can be read: %#', (parts, finding) => {
    const feature = oxygen(parts as unknown as Partial<AnswerDefinition>);
    const findings = checkFeatureMap({ language: 1, features: { feature }, population: noPopulation }, []);
    expect(findings.map(({ path, message }) => `${path} ${message}`)).toEqual([`/features/feature${finding}`]);
  });
});

describe('the levels of a category', () => {
  it.each([
    [
      { unseen: 'none' },
      ['/unseen none is no level', '/levels/other has no codes; only the level that unseen names may have none'],
    ],
    [{ unseen: 'abstain' }, ['/levels/other has no codes; only the level that unseen names may have none']],
    [
      { levels: { alert: [`${local}|a`], voice: [`${local}|a`], other: [] } },
      [`/levels/voice ${local}|a also says alert`],
    ],
    [
      { levels: { abstain: [`${local}|a`], other: [] } },
      ['/levels/abstain is no name of a level: unseen takes it for the reason'],
    ],
    [{ codes: undefined }, [' needs codes, component or both']],
    [
      { missing: { impute: [{ because: ['not-found'], value: 'deep', source: 'test' }] } },
      ['/missing takes deep, which is not in its vocabulary'],
    ],
    [{}, []],
  ])('%#', (parts, expected) => {
    const { codes, ...rest } = consciousness(parts as Partial<CategoryDefinition>);
    const feature = codes === undefined ? rest : { codes, ...rest };
    const population = { ...noPopulation, mostImputed: 1 };
    const findings = checkFeatureMap({ language: 1, features: { feature }, population }, []);
    expect(findings.map(({ path, message }) => `${path} ${message}`).sort()).toEqual(
      expected.map((each) => `/features/feature${each}`).sort(),
    );
  });
});
