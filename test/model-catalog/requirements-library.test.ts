import type { DataRequirement } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { isSearchedByCode, recordQueries } from '../../src/model-catalog/record-queries.ts';
import { requirementsLibrary } from '../../src/model-catalog/requirements-library.ts';
import { bareMap, shippedModel } from '../support/shipped-model.ts';

const validator = createResourceValidator();
const models = await Promise.all(['kfre-4', 'pce-2013', 'prevent-base'].map((id) => shippedModel(id)));
const [kidney] = models;
const both = ['consent', 'group'] as const;

/** The requirements of a map, by type. */
function requirementsOf(featureMap: FeatureMap): Map<string, DataRequirement> {
  if (kidney === undefined) throw new Error('kfre-4 is not shipped');
  const { dataRequirement = [] } = requirementsLibrary({ ...kidney, gathered: featureMap }, both);
  const byType = new Map(dataRequirement.map((requirement) => [requirement.type ?? '', requirement]));
  expect(byType.size).toBe(dataRequirement.length);
  return byType;
}

/** A condition whose absence rests on an encounter within `encounterWithin`. */
function withEncounters(encounterWithin: string): FeatureMap {
  return bareMap({
    diabetes: {
      kind: 'condition',
      label: 'Diabetes',
      codes: ['http://snomed.info/sct|73211009'],
      when: 'ever',
      absent: { assume: false, encounterWithin },
    },
  });
}

describe('the Library of a model', () => {
  test.each(models)('$key is valid FHIR R4 and says which version it is', (model) => {
    const library = requirementsLibrary(model, both);
    expect(validator.findings(library)).toEqual([]);
    expect([library.url, library.version, library.status]).toEqual([
      `https://fhirsight.org/fhir/Library/${model.manifest.id}`,
      model.manifest.version,
      'active',
    ]);
    expect(library.name).toMatch(/^[A-Z]([A-Za-z0-9_]){0,254}$/);
  });

  test.each(models)('$key requires what is searched, no type more, and no code less', ({ featureMap }) => {
    const requirements = requirementsOf(featureMap);
    const queries = recordQueries(featureMap, new Date('2026-03-01'), both);
    const searched = new Set(queries.map(({ type }) => type));
    expect([...requirements.keys()].filter((type) => type !== 'Patient' && type !== 'Medication').sort()).toEqual(
      [...searched].sort(),
    );
    for (const query of queries) {
      const codes = requirements
        .get(query.type)
        ?.codeFilter?.flatMap(({ code = [] }) => code.map((coding) => `${coding.system}|${coding.code}`));
      expect(codes, query.type).toEqual(isSearchedByCode(query) ? query.codes : undefined);
    }
  });

  test('limits no date where a search has none: a result without a time must be seen', () => {
    for (const { featureMap } of models)
      expect(requirementsOf(featureMap).get('Observation')).not.toHaveProperty('dateFilter');
  });

  test.each([
    ['P1M', 31 + 2],
    ['P2M', 62 + 2],
    ['P1Y', 366 + 2],
    ['P5Y', 1827 + 2],
    ['P30D', 30 + 2],
    ['PT36H', 2 + 2],
  ])('encounters within %s are asked for %i days back, the longest that a calendar may mean', (within, days) => {
    const encounter = requirementsOf(withEncounters(within)).get('Encounter');
    expect(encounter?.dateFilter).toEqual([
      { searchParam: 'date', valueDuration: expect.objectContaining({ value: days, code: 'd' }) },
    ]);
  });

  test('a code is a coding with its system', () => {
    const map = bareMap({});
    map.features.odd = {
      kind: 'observation',
      label: 'Odd',
      unit: '1',
      codes: ['urn:oid:1.2.3|a-b'],
      window: 'P1Y',
      pick: 'latest',
      plausible: [0, 1],
      missing: 'abstain',
    };
    expect(requirementsOf(map).get('Observation')?.codeFilter).toEqual([
      { path: 'code', code: [{ system: 'urn:oid:1.2.3', code: 'a-b' }] },
    ]);
  });
});
