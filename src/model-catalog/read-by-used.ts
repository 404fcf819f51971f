import type { FeatureDefinition } from './feature-map-schema.ts';
import { madeOf } from './feature-reads.ts';
import type { ModelVersion } from './model-version.ts';
import { readSame } from './read-same.ts';
import { takenOutputs, usedKey } from './used-models.ts';

type Using = Pick<ModelVersion, 'featureMap' | 'uses'>;

/**
 * For each feature of a map the outputs of other models that read the same of the record, or come from the same model. What
 * a caller asserts of it is unknown to these models: with the record's value in one place and the caller's in the other a
 * result would be of no person, so that both are asserted or none.
 */
export function readByUsed({ featureMap, uses }: Using): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const taken = takenOutputs(featureMap);
  if (taken.length === 0) return found;
  const inside = new Map(uses.map(({ key, gathered }) => [key, Object.values(gathered.features)]));
  for (const name of Object.keys(featureMap.features)) {
    const parts = partsOf(featureMap.features, name);
    const outputs = taken.filter(({ feature, definition }) => {
      if (feature === name) return false;
      const key = usedKey(definition);
      const reads = inside.get(key) ?? [];
      return parts.some(
        (part) =>
          (part.kind === 'model' && usedKey(part) === key) || reads.some((definition) => readSame(part, definition)),
      );
    });
    // What is made of the output has it in itself.
    const made = new Set(namesBehind(featureMap.features, name));
    const others = outputs.map(({ feature }) => feature).filter((feature) => !made.has(feature));
    if (others.length > 0) found.set(name, others);
  }
  return found;
}

type Features = Readonly<Record<string, FeatureDefinition>>;

/** A feature and all that it is made of. */
function namesBehind(features: Features, name: string, known: Set<string> = new Set()): string[] {
  const definition = Object.hasOwn(features, name) ? features[name] : undefined;
  if (definition === undefined || known.has(name)) return [];
  known.add(name);
  return [name, ...madeOf(definition).flatMap((part) => namesBehind(features, part, known))];
}

/** The definitions behind a feature that read a record. */
function partsOf(features: Features, name: string): FeatureDefinition[] {
  return namesBehind(features, name).flatMap((part) => {
    const definition = features[part];
    return definition === undefined || madeOf(definition).length > 0 ? [] : [definition];
  });
}
