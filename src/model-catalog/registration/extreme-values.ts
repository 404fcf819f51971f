import type { FeatureDefinition, FeatureMap } from '../feature-map-schema.ts';
import type { GoldenCase } from '../golden-case-schema.ts';
import { type NumberRange, populationRange } from '../lint/population-range.ts';
import type { Manifest } from '../manifest-schema.ts';
import { inputColumns } from '../model-tensors.ts';
import { plausibleRange } from '../plausible-range.ts';
import { valueKind } from '../value-kind.ts';

export type GoldenValue = GoldenCase['inputs'][string];

/** Values of a feature that can reach the model about one outcome, from one end to the other. */
export interface ExtremeValues {
  readonly lowest: GoldenValue;
  readonly highest: GoldenValue;
  /** All that are tried: the ends of a number, yes and no, every code. */
  readonly all: readonly GoldenValue[];
}

/** How far below an end that does not belong to the range itself, as a share of the range. */
const justBelow = 1e-6;

/**
 * Numbers at both ends of what is plausible and in the population, yes and no, every code that a column encodes, and sequences
 * that were at one end all the time; undefined where nothing says from where to where, and for a text or an image.
 */
export function extremeValues(
  manifest: Manifest,
  map: FeatureMap,
  feature: string,
  outcome: string,
): ExtremeValues | undefined {
  const definition = map.features[feature];
  if (definition === undefined) return undefined;
  switch (valueKind(definition)) {
    case 'boolean':
      return ends([false, true]);
    case 'code':
      return ends(codesOf(manifest, feature));
    case 'number': {
      const range = reachingRange(map, definition, feature, outcome);
      return range && ends([range.from, upperEnd(range)]);
    }
    case 'sequence': {
      if (definition.kind !== 'sequence') return undefined;
      const { plausible, steps } = definition;
      return ends(plausible.map((value) => Array.from({ length: steps }, () => [value, 1, 0] as [number, 1, number])));
    }
    case 'text':
    case 'image':
      return undefined;
  }
}

function ends(all: readonly GoldenValue[]): ExtremeValues | undefined {
  const [lowest] = all;
  const highest = all.at(-1);
  return lowest === undefined || highest === undefined ? undefined : { lowest, highest, all };
}

/** What is both plausible and in the population; one alone where only one is declared. */
function reachingRange(
  map: FeatureMap,
  definition: FeatureDefinition,
  feature: string,
  outcome: string,
): NumberRange | undefined {
  const declared = plausibleRange(definition);
  const plausible = declared && { from: declared[0], to: declared[1], inclusive: true };
  const population = populationRange(map, feature, outcome);
  if (plausible === undefined || population === undefined) return population ?? plausible;
  const narrower = population.to <= plausible.to ? population : plausible;
  const range = { ...narrower, from: Math.max(plausible.from, population.from) };
  return range.from > range.to ? undefined : range;
}

function upperEnd({ from, to, inclusive }: NumberRange): number {
  return inclusive ? to : Math.max(from, to - justBelow * (to - from));
}

/** Codes that every column of the feature encodes, or any where none does. */
function codesOf(manifest: Manifest, feature: string): readonly string[] {
  const encodings = inputColumns(manifest).flatMap((column) =>
    column.feature === feature && column.encode !== undefined ? [Object.keys(column.encode)] : [],
  );
  const [first = [], ...others] = encodings;
  return first.filter((code) => others.every((codes) => codes.includes(code)));
}
