import { describe, expect, it } from 'vitest';
import { type MissingReason, missingReasons } from '../../src/features/feature-vector.ts';
import { imageMissingReasons } from '../../src/imaging/image-reading.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import { type JsonSchema, publishedSchemas } from '../../src/model-catalog/published-schemas.ts';
import { testFeatureMaps } from '../contract/feature-map.ts';
import { languageMap, languageUnderTest } from '../support/language-map.ts';

testFeatureMaps([languageUnderTest], {
  // What only the caller can say, and what other models do, which are not asked here.
  unreached: ['estimatedGfr', 'gfrCategory', 'laceOfAnother', 'frailty', 'mobility'].map((name) => `language ${name}`),
  states: [
    'observed',
    'derived',
    'imputed',
    'assumed-absent',
    // No record holds an image: test/imaging/read-images.test.ts.
    ...missingReasons.filter((reason) => !isOfImages(reason)),
  ],
});

describe('the map of the whole language', () => {
  it('is one that a model may have', () => {
    expect(checkFeatureMap(languageMap, ['event', 'other'])).toEqual([]);
  });

  it('uses every kind and every key of the published schema, lest a new one has no property', () => {
    const unused: string[] = [];
    const definitions = Object.values(languageMap.features);
    // It says who sees a value, not which one it is: test/scenarios/sensitive-features.test.ts.
    const ofNoValue = ['sensitive'];
    for (const { properties } of kindsOf(publishedSchemas['feature-map.schema.json'])) {
      const kind = properties.kind?.const;
      if (kind === 'image') continue;
      const used = definitions.filter((definition) => definition.kind === kind).flatMap((each) => Object.keys(each));
      unused.push(
        ...Object.keys(properties).flatMap((key) =>
          used.includes(key) || ofNoValue.includes(key) ? [] : [`${kind} ${key}`],
        ),
      );
    }
    expect(unused).toEqual([]);
  });
});

function isOfImages(reason: MissingReason): boolean {
  const ofRecords = ['not-found', 'undecodable', 'time-unknown'];
  return imageMissingReasons.some((known) => known === reason) && !ofRecords.includes(reason);
}

type Kind = { readonly properties: Readonly<Record<string, { readonly const?: unknown }>> };

/** The schemas of the kinds of features, wherever they stand in the published one. */
function kindsOf(schema: unknown): Kind[] {
  if (Array.isArray(schema)) return schema.flatMap(kindsOf);
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties } = schema as JsonSchema & Partial<Kind>;
  if (properties?.kind?.const !== undefined) return [{ properties }];
  return Object.values(schema).flatMap(kindsOf);
}
