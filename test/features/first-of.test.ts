import { describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { observation } from '../support/build-record.ts';
import { extractAll, noPopulation } from '../support/extract-one.ts';

const unit = 'mL/min/{1.73_m2}';
const reported: FeatureDefinition = {
  kind: 'observation',
  label: 'Reported eGFR',
  unit,
  codes: ['http://loinc.org|98979-8'],
  window: 'P1Y',
  pick: 'latest',
  plausible: [1, 200],
  missing: 'abstain',
};
const older: FeatureDefinition = { ...reported, label: 'Older eGFR', codes: ['http://loinc.org|33914-3'] };
const first = (passOver: string[]): FeatureDefinition => ({
  kind: 'first-of',
  label: 'eGFR',
  unit,
  of: ['reported', 'older'],
  passOver,
});
const gfr = (code: string, value: number, parts: object = {}) =>
  observation(code, { value, code: unit, system: 'http://unitsofmeasure.org', ...parts }, '2026-01-01T08:00:00Z');
const extract = (passOver: string[], resources: Parameters<typeof extractAll>[1]) =>
  extractAll({ egfr: first(passOver), reported, older }, resources, { columns: ['egfr'] });

describe('the first of several features', () => {
  it('takes the first that has a value, and says which', () => {
    const { features } = extract(['not-found'], [gfr('98979-8', 60), gfr('33914-3', 50)]);
    expect(features.get('egfr')).toMatchObject({ state: 'derived', value: 60, from: ['reported'] });
    expect(features.get('egfr')).not.toHaveProperty('detail');
  });

  it('says why it passed over another', () => {
    const { features } = extract(['not-found'], [gfr('33914-3', 50)]);
    expect(features.get('egfr')).toMatchObject({
      state: 'derived',
      value: 50,
      from: ['older'],
      at: '2026-01-01T08:00:00Z',
      detail: 'passed over reported (not-found)',
    });
  });

  it('does not pass over a doubt: the next is no answer to it', () => {
    const doubtful = gfr('98979-8', 60, { code: undefined, system: undefined });
    const { features, verdicts } = extract(['not-found'], [doubtful, gfr('33914-3', 50)]);
    expect(features.get('egfr')).toMatchObject({ state: 'missing', because: 'input-missing', needs: ['reported'] });
    expect(verdicts.get('outcome')).toMatchObject({
      state: 'insufficient-data',
      reasons: [{ reason: 'reported:unit-missing' }],
    });
  });

  it('passes over the reasons that the map names', () => {
    const limit = gfr('98979-8', 60, { comparator: '>' });
    const { features } = extract(['not-found', 'comparator'], [limit, gfr('33914-3', 50)]);
    expect(features.get('egfr')).toMatchObject({ value: 50, detail: 'passed over reported (comparator)' });
  });

  it('names all of them where none has a value: any would do', () => {
    const { verdicts } = extract(['not-found'], []);
    expect(verdicts.get('outcome')).toMatchObject({
      reasons: [{ reason: 'reported:not-found' }, { reason: 'older:not-found' }],
    });
  });

  it('says that what is asserted of a later one is not used', () => {
    const asserted = new Map([['older', { state: 'asserted' as const, value: 30, sources: [] }]]);
    const inputs = extractAll({ egfr: first(['not-found']), reported, older }, [gfr('98979-8', 60)], { asserted });
    expect(inputs.features.get('egfr')).toMatchObject({ value: 60, detail: 'asserted, but not used: older' });
  });

  it('refuses a reason that does not exist', () => {
    expect(() =>
      compileFeatureMap({
        language: 1,
        features: { egfr: first(['unfound']), reported, older },
        population: noPopulation,
      }),
    ).toThrow("'unfound' is no reason");
  });
});
