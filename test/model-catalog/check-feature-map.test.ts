import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import { parseFeatureMap } from '../../src/model-catalog/parse-model-json.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { unitOf } from '../../src/model-catalog/value-kind.ts';

const population: FeatureMap['population'] = { exclude: [], require: [], ranges: [] };
type Observation = Extract<FeatureDefinition, { kind: 'observation' }>;

const measured = (parts: Partial<Observation> = {}): Observation => ({
  kind: 'observation',
  label: 'Creatinine',
  unit: 'mg/dL',
  codes: ['http://loinc.org|2160-0'],
  window: 'P1Y',
  pick: 'latest',
  plausible: [0.1, 40],
  missing: 'abstain',
  ...parts,
});
const firstOf = (of: string[], unit?: string): FeatureDefinition => ({
  kind: 'first-of',
  label: 'First',
  of,
  passOver: ['not-found'],
  ...(unit === undefined ? {} : { unit }),
});
const findingsOf = (features: Record<string, FeatureDefinition>, parts: Partial<FeatureMap> = {}) =>
  checkFeatureMap({ language: 1, features, population, ...parts }, []).map(({ path, message }) => `${path} ${message}`);

describe('the keys of an observation go with its pick', () => {
  it.each([
    [{ pick: 'slope' }, '/features/a/per is needed by slope: the unit of time, such as d'],
    [{ pick: 'time-since' }, '/features/a/per is needed by time-since: the unit of time, such as d'],
    [{ pick: 'mean', per: 'd' }, '/features/a/per is for slope and time-since, not for mean'],
    [{ atLeast: 2 }, '/features/a/atLeast is for min, max, mean, median, sum, count, slope, not for latest'],
    [{ pick: 'sum', distinctBy: 'day' }, '/features/a/distinctBy is for count, not for sum'],
    [
      { pick: 'mean', absent: { assume: 0, encounterWithin: 'P1Y' } },
      '/features/a/absent is for count, not for mean: none is a reason there',
    ],
    [
      {
        pick: 'count',
        absent: { assume: 0, encounterWithin: 'P1Y' },
        where: { encounter: { class: ['http://x|AMB'] }, unknown: 'leave-out' },
      },
      '/features/a/absent does not go with where.unknown leave-out: what is left out may be what was to be counted',
    ],
    [{ pick: 'slope', per: 'd', unit: 'Cel' }, '/features/a/per gives the unit Cel/d, which is no UCUM code'],
    [{ pick: 'slope', per: 'd', atLeast: 3 }, undefined],
    [{ pick: 'count', distinctBy: 'encounter', absent: { assume: 0, encounterWithin: 'P1Y' } }, undefined],
  ] as const)('%o', (parts, finding) => {
    expect(findingsOf({ a: measured(parts as Partial<Observation>) })).toEqual(finding === undefined ? [] : [finding]);
  });
});

describe('the keys of an encounter feature go with its pick', () => {
  const classes = ['http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP'];
  it.each([
    [{ pick: 'count' }, ['class is needed by count', 'window is needed by count']],
    [
      { pick: 'count', class: classes, window: 'P1Y', per: 'd' },
      ['per is for time-since and length-of-stay, not for count'],
    ],
    [
      { pick: 'time-since', class: classes, window: 'P1Y' },
      ['per is needed by time-since: the unit of time, such as d'],
    ],
    [
      { pick: 'length-of-stay', per: 'd', window: 'P1Y', excludeIndex: true },
      ['window', 'excludeIndex'].map(
        (key) => `${key} is not for length-of-stay, which is that of the encounter of the call`,
      ),
    ],
    [
      { pick: 'time-since', per: 'd', class: classes, window: 'P1Y', absent: { assume: 0, encounterWithin: 'P1Y' } },
      ['absent is for count, not for time-since: none is a reason there'],
    ],
    [{ pick: 'length-of-stay', per: 'h' }, []],
  ] as const)('%o', (parts, findings) => {
    const definition = { kind: 'encounter', label: 'Admissions', ...parts } as FeatureDefinition;
    expect(findingsOf({ a: definition })).toEqual(findings.map((finding) => `/features/a/${finding}`));
  });
});

const parsed = (map: object): Finding[] => {
  const findings: Finding[] = [];
  parseFeatureMap('feature-map.json', Buffer.from(JSON.stringify({ language: 1, population, ...map })), findings);
  return findings;
};

describe('names of features, panels and values', () => {
  it.each([
    [{ features: { My_feature: { kind: 'nonsense' } } }, '/features', 'My_feature'],
    [{ features: { a: measured() } }, '/features', 'a'],
    [{ features: {}, panels: { 'a-b': { by: 'specimen' } } }, '/panels', 'a-b'],
    [
      { features: { sex: { kind: 'demographics', label: 'Sex', element: 'sex', vocabulary: { Female: ['female'] } } } },
      '/features/sex/vocabulary',
      'Female',
    ],
  ])('of another form than the language has are not passed over unread: %j', (map, path, name) => {
    expect(parsed(map)).toEqual([{ file: 'feature-map.json', path, message: `must not have the key "${name}"` }]);
  });
});

describe('what a limit stands for', () => {
  const found = (limits: object) => parsed({ features: { creatinine: { ...measured(), limits } } }).length > 0;

  it('is half of it only where the value lies below: half of an upper limit is no value', () => {
    expect(found({ '<': 'half', '<=': 'limit', '>': 'limit', '>=': 'limit' })).toBe(false);
    for (const wrong of [{ '>': 'half' }, { '>=': 'half' }, { '<': 'twice' }, { '=': 'limit' }, {}])
      expect(found(wrong), JSON.stringify(wrong)).toBe(true);
  });
});

describe('features of a panel', () => {
  it('name a panel that is there, with another one of it', () => {
    expect(findingsOf({ a: measured({ together: 'lipids' }) })).toEqual([
      '/features/a/together names the panel lipids, which the map does not define',
    ]);
    const panels = { lipids: { by: 'specimen' as const } };
    expect(findingsOf({ a: measured({ together: 'lipids' }) }, { panels })).toEqual([
      "/panels/lipids has 1 feature(s); a panel needs two that name it by 'together'",
    ]);
    expect(
      findingsOf({ a: measured({ together: 'lipids' }), b: measured({ together: 'lipids' }) }, { panels }),
    ).toEqual([]);
  });

  it('are the newest of their kind', () => {
    const panels = { lipids: { by: 'specimen' as const } };
    const found = findingsOf(
      { a: measured({ together: 'lipids', pick: 'max' }), b: measured({ together: 'lipids' }) },
      {
        panels,
      },
    );
    expect(found).toEqual(['/features/a/together is for latest, not for max: the newest panel is taken']);
  });
});

describe('the first of several features', () => {
  it.each([
    [['a', 'nothing'], 'mg/dL', 'names nothing, which the map does not define'],
    [['a', 'sex'], 'mg/dL', 'names sex, which is a code; only numbers and yes-or-no have a first'],
    [['a', 'b'], 'mg/dL', 'names b, which is in g/L, not in mg/dL'],
    [['a', 'slope'], 'mg/dL', 'names slope, which is in mg/dL/d, not in mg/dL'],
    [['a', 'ill'], 'mg/dL', 'names ill, which is in no unit, not in mg/dL'],
    [['ill', 'a'], undefined, "names a, a number; then 'unit' is needed"],
  ])('is of one kind and one unit: %j in %s', (of, unit, finding) => {
    const features: Record<string, FeatureDefinition> = {
      a: measured(),
      b: measured({ unit: 'g/L' }),
      slope: measured({ pick: 'slope', per: 'd' }),
      sex: { kind: 'demographics', label: 'Sex', element: 'sex', vocabulary: { female: ['female'] } },
      ill: {
        kind: 'condition',
        label: 'Ill',
        codes: ['http://snomed.info/sct|1'],
        when: 'ever',
        absent: { assume: false, encounterWithin: 'P1Y' },
      },
      first: firstOf(of, unit),
    };
    expect(findingsOf(features)).toEqual([`/features/first/of ${finding}`]);
  });

  it('is sensitive where one of those is', () => {
    const sensitive = { sensitive: 'nobody else’s business' };
    const features = { a: { ...measured(), ...sensitive }, b: measured() };
    expect(findingsOf({ ...features, c: firstOf(['a', 'b'], 'mg/dL') })).toEqual([
      '/features/c is made of a, which is sensitive, and would tell it: mark it as sensitive too',
    ]);
    expect(findingsOf({ ...features, c: { ...firstOf(['a', 'b'], 'mg/dL'), ...sensitive } })).toEqual([]);
  });

  it('is not among those it is the first of', () => {
    expect(findingsOf({ a: measured(), b: firstOf(['a', 'c'], 'mg/dL'), c: firstOf(['a', 'b'], 'mg/dL') })).toEqual([
      '/features/b is derived from itself: b -> c -> b',
    ]);
  });
});

describe('a feature that is imputed', () => {
  const imputed = measured({ missing: { impute: [{ because: ['not-found'], value: 1, source: 'test' }] } });
  const findings = (features: Record<string, FeatureDefinition>, parts: Partial<FeatureMap['population']> = {}) =>
    findingsOf(features, { population: { ...population, mostImputed: 1, ...parts } });

  it('needs a cap, a plausible value, and one rule for each reason', () => {
    expect(findings({ a: imputed })).toEqual([]);
    for (const most of [{ mostImputed: undefined }, { mostImputed: 0 }])
      expect(findings({ a: imputed }, most as object)).toEqual([
        '/population/mostImputed is needed, above 0, for a is imputed: how many features may be',
      ]);
    const twice = { because: ['not-found', 'conflict'], value: 400, source: 'test' };
    expect(
      findings({ a: measured({ missing: { impute: [twice, { ...twice, because: ['conflict'], value: 1 }] } }) }),
    ).toEqual([
      '/features/a/missing imputes 400, which lies outside what is plausible',
      "/features/a/missing imputes twice for conflict: no rule after one without 'when' is reached",
    ]);
  });

  it('must not decide about eligibility through a feature that is made of it', () => {
    const require = [{ reason: 'b', feature: 'b', from: 1, to: 2, message: 'b' }];
    const made: FeatureDefinition = {
      kind: 'derived',
      label: 'B',
      unit: '1',
      expression: ['+', 'a', 1],
      source: 'test',
    };
    expect(findings({ a: imputed, b: made }, { require })).toHaveLength(1);
  });

  it('must not come before another one of a first-of, which would never be asked', () => {
    expect(findings({ a: imputed, b: measured(), c: firstOf(['a', 'b'], 'mg/dL') })).toEqual([
      '/features/c/of names a, which is imputed where it is missing: what comes after it would not be asked',
    ]);
    expect(findings({ a: imputed, b: measured(), c: firstOf(['b', 'a'], 'mg/dL') })).toEqual([]);
  });

  it('must not decide about eligibility', () => {
    const require = [{ reason: 'a', feature: 'a', from: 1, to: 2, message: 'a' }];
    expect(findings({ a: imputed }, { require })).toEqual([
      '/features/a/missing must abstain: whether the model may speak about somebody has to be known',
    ]);
  });
});

describe('what follows from a pick', () => {
  it.each([
    [{}, 'mg/dL'],
    [{ pick: 'mean' }, 'mg/dL'],
    [{ pick: 'count' }, '1'],
    [{ pick: 'slope', per: 'd' }, 'mg/dL/d'],
    [{ pick: 'time-since', per: 'a' }, 'a'],
  ] as const)('the unit of %o is %s', (parts, unit) => {
    expect(unitOf(measured(parts))).toBe(unit);
  });

  it('is that encounters are read: all of them where measurements are joined to theirs', () => {
    const asOf = new Date('2026-03-01T12:00:00Z');
    const encountersOf = (parts: Partial<Observation>) =>
      recordQueries({ language: 1, features: { a: measured(parts) }, population }, asOf, []).filter(
        ({ type }) => type === 'Encounter',
      );
    expect(encountersOf({})).toEqual([]);
    expect(encountersOf({ pick: 'count', absent: { assume: 0, encounterWithin: 'P2Y' } })).toMatchObject([
      { since: new Date('2024-03-01T12:00:00Z') },
    ]);
    const joined = encountersOf({ where: { encounter: { class: ['http://x|AMB'] }, unknown: 'abstain' } });
    expect(joined).toHaveLength(1);
    expect(joined[0]).not.toHaveProperty('since');
    expect(encountersOf({ pick: 'count', distinctBy: 'encounter' })).toHaveLength(1);
  });
});
