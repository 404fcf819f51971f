import type { FeatureMap, FirstOfDefinition } from './feature-map-schema.ts';
import { madeOf } from './feature-reads.ts';
import { missingPolicyOf } from './missing-input.ts';
import { unitOf, valueKind } from './value-kind.ts';

/** That all features of a `first-of` are there, can be missing, are one kind of value, and say it in one unit. */
export function checkFirstOf(
  { of, unit, passOver }: FirstOfDefinition,
  map: FeatureMap,
  find: (message: string) => void,
): void {
  for (const name of of.slice(0, -1)) {
    const imputed = imputedBelow(map, name);
    if (imputed === name)
      find(`names ${name}, which is imputed where it is missing: what comes after it would not be asked`);
    else if (imputed !== undefined)
      find(`names ${name}, which is made of ${imputed}, which is imputed: what comes after it would not be asked`);
  }
  // Such a model may abstain for no lack of data: the person is not eligible, which another source is no answer to.
  const output = passOver.includes('input-missing') ? of.find((name) => takesOutput(map, name)) : undefined;
  if (output !== undefined)
    find(
      `names ${output}, which takes the output of another model, and passes over input-missing; name the reasons of that model`,
    );
  for (const name of of) {
    const definition = Object.hasOwn(map.features, name) ? map.features[name] : undefined;
    if (definition === undefined) {
      find(`names ${name}, which the map does not define`);
      continue;
    }
    const kind = valueKind(definition);
    if (kind === 'code' || kind === 'text' || kind === 'sequence' || kind === 'image')
      find(`names ${name}, which is a ${kind}; only numbers and yes-or-no have a first`);
    else if (unit === undefined && kind === 'number') find(`names ${name}, a number; then 'unit' is needed`);
    else if (unit !== undefined && unitOf(definition) !== unit)
      find(`names ${name}, which is in ${unitOf(definition) ?? 'no unit'}, not in ${unit}`);
  }
}

/** Whether a feature is the output of another model, or made of one. */
function takesOutput(map: FeatureMap, name: string, depth = 0): boolean {
  const definition = Object.hasOwn(map.features, name) ? map.features[name] : undefined;
  if (definition === undefined || depth > Object.keys(map.features).length) return false;
  return definition.kind === 'model' || madeOf(definition).some((part) => takesOutput(map, part, depth + 1));
}

/** The feature itself, or one that it is made of, that is imputed where it is missing. */
function imputedBelow(map: FeatureMap, name: string, depth = 0): string | undefined {
  const definition = Object.hasOwn(map.features, name) ? map.features[name] : undefined;
  if (definition === undefined || depth > Object.keys(map.features).length) return undefined;
  if (missingPolicyOf(definition)?.impute !== undefined) return name;
  for (const part of madeOf(definition)) {
    const imputed = imputedBelow(map, part, depth + 1);
    if (imputed !== undefined) return imputed;
  }
  return undefined;
}
