import type { FeatureDefinition, FeatureMap } from '../model-catalog/feature-map-schema.ts';
import { compileAnswer } from './answer.ts';
import { compileCondition } from './condition.ts';
import { compileDemographics } from './demographics.ts';
import { compileDerived } from './derived.ts';
import type { FeatureExtractor } from './feature-extractor.ts';
import { compileMedication } from './medication.ts';
import { compileObservation } from './observation.ts';
import { createObservationIndex, type ObservationIndex } from './observation-index.ts';
import { compilePopulation, type Judge } from './population.ts';

/** The value a feature has: a number in `unit`, yes or no, or a code of a vocabulary. */
export type FeatureType =
  | { readonly type: 'number'; readonly unit: string; readonly plausible?: readonly [number, number] }
  | { readonly type: 'boolean' }
  | { readonly type: 'code'; readonly vocabulary: readonly string[] };

export interface CompiledFeature {
  readonly name: string;
  readonly label: string;
  readonly definition: FeatureDefinition;
  readonly value: FeatureType;
  /** Names of the features it is derived from. */
  readonly reads: readonly string[];
  readonly extract: FeatureExtractor;
}

/** A feature map ready to run: compiled once at load, used for every subject. */
export interface CompiledFeatureMap {
  readonly map: FeatureMap;
  /** In the order of the map, for display. */
  readonly features: ReadonlyMap<string, CompiledFeature>;
  /** Every feature after those it is derived from. */
  readonly order: readonly CompiledFeature[];
  /** Sorts Observations by the codes that features look for. */
  readonly observationIndex: ObservationIndex;
  readonly judge: Judge;
}

/** @throws RangeError or SyntaxError for a unit or an expression that the schema cannot judge; the catalog reports it with the file. */
export function compileFeatureMap(map: FeatureMap): CompiledFeatureMap {
  const features = new Map<string, CompiledFeature>();
  const reads = new Map<string, readonly string[]>();
  const observationIndex = createObservationIndex();
  for (const [name, definition] of Object.entries(map.features)) {
    const compiled = compileKind(definition, observationIndex);
    reads.set(name, compiled.reads ?? []);
    features.set(name, {
      name,
      label: definition.label,
      definition,
      value: typeOf(definition),
      reads: compiled.reads ?? [],
      extract: compiled.extract,
    });
  }
  const judge = compilePopulation(map.population);
  return { map, features, order: inOrder(features, reads), observationIndex, judge };
}

function compileKind(
  definition: FeatureDefinition,
  index: ObservationIndex,
): { extract: FeatureExtractor; reads?: readonly string[] } {
  switch (definition.kind) {
    case 'demographics':
      return { extract: compileDemographics(definition) };
    case 'observation':
      return { extract: compileObservation(definition, index) };
    case 'answer':
      return { extract: compileAnswer(definition, index) };
    case 'condition':
      return { extract: compileCondition(definition) };
    case 'medication':
      return { extract: compileMedication(definition) };
    case 'derived':
      return compileDerived(definition);
  }
}

function typeOf(definition: FeatureDefinition): FeatureType {
  switch (definition.kind) {
    case 'demographics':
      return definition.element === 'age'
        ? {
            type: 'number',
            unit: definition.unit ?? 'a',
            ...(definition.plausible === undefined ? {} : { plausible: definition.plausible }),
          }
        : { type: 'code', vocabulary: Object.keys(definition.vocabulary ?? {}) };
    case 'observation':
    case 'derived':
      return {
        type: 'number',
        unit: definition.unit,
        ...(definition.plausible === undefined ? {} : { plausible: definition.plausible }),
      };
    default:
      return { type: 'boolean' };
  }
}

function inOrder(
  features: ReadonlyMap<string, CompiledFeature>,
  reads: ReadonlyMap<string, readonly string[]>,
): CompiledFeature[] {
  const done = new Map<string, CompiledFeature>();
  const visit = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return;
    if (path.includes(name))
      throw new SyntaxError(`feature ${name} is derived from itself: ${[...path, name].join(' -> ')}`);
    const feature = features.get(name);
    if (feature === undefined)
      throw new SyntaxError(`feature ${path.at(-1)} is derived from ${name}, which the map does not define`);
    for (const input of reads.get(name) ?? []) visit(input, [...path, name]);
    done.set(name, feature);
  };
  for (const name of features.keys()) visit(name, []);
  return [...done.values()];
}
