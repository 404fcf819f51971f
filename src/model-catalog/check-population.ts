import type { FeatureDefinition, FeatureMap } from './feature-map-schema.ts';
import { unitOf, valueKind, vocabularyOf } from './value-kind.ts';

/** Every rule of the population must name a feature of the map, of the kind it needs, and known outcomes. */
export function checkPopulation(
  map: FeatureMap,
  outcomes: readonly string[],
  find: (path: string, message: string) => void,
): void {
  const { exclude, require, ranges, crossChecks = [] } = map.population;
  const feature = (name: string, path: string): FeatureDefinition | undefined => {
    const found = Object.hasOwn(map.features, name) ? map.features[name] : undefined;
    if (found === undefined) find(path, `names the feature ${name}, which the map does not define`);
    return found;
  };
  const kindIs = (name: string, kind: 'number' | 'boolean' | 'code', path: string): FeatureDefinition | undefined => {
    const found = feature(name, path);
    if (found === undefined || valueKind(found) === kind) return found;
    find(path, `needs a feature that is a ${kind}; ${name} is a ${valueKind(found)}`);
    return undefined;
  };
  const checkOutcomes = (ids: readonly string[] | undefined, path: string): void => {
    for (const id of ids ?? []) {
      if (!outcomes.includes(id))
        find(`${path}/outcomes`, `names the outcome ${id}; the manifest has: ${outcomes.join(', ')}`);
    }
  };

  exclude.forEach((rule, index) => {
    const path = `/population/exclude/${index}`;
    kindIs(rule.feature, 'boolean', path);
    checkOutcomes(rule.outcomes, path);
  });
  require.forEach((rule, index) => {
    const path = `/population/require/${index}`;
    checkOutcomes(rule.outcomes, path);
    if (!('in' in rule)) {
      kindIs(rule.feature, 'number', path);
      if (rule.from > rule.to) find(path, `from ${rule.from} lies above to ${rule.to}`);
      return;
    }
    const definition = kindIs(rule.feature, 'code', path);
    for (const code of rule.in) {
      if (definition !== undefined && !vocabularyOf(definition).includes(code)) {
        find(`${path}/in`, `${code} is not in the vocabulary of ${rule.feature}`);
      }
    }
  });
  ranges.forEach((rule, index) => {
    const path = `/population/ranges/${index}`;
    checkOutcomes(rule.outcomes, path);
    kindIs(rule.feature, 'number', path);
    if ((rule.to === undefined) === (rule.below === undefined)) find(path, 'needs exactly one of to and below');
    const limit = rule.to ?? rule.below;
    if (limit !== undefined && rule.from >= limit) find(path, `from ${rule.from} is not below ${limit}`);
  });
  crossChecks.forEach((check, index) => {
    const path = `/population/crossChecks/${index}`;
    checkOutcomes(check.outcomes, path);
    const [one, other] = check.features.map((name) => kindIs(name, 'number', path));
    if (check.features[0] === check.features[1]) find(path, `compares ${check.features[0]} with itself`);
    if (one === undefined || other === undefined) return;
    const [unit, measure] = [unitOf(one), unitOf(other)];
    if (unit !== measure) find(path, `compares ${unit} with ${measure}; the two must be in one unit`);
  });
}

/** The codes a coded feature can have once the population is applied; what a rule requires for some outcomes only does not count. */
export function codesInPopulation(map: FeatureMap, feature: string, definition: FeatureDefinition): string[] {
  const lists = map.population.require.flatMap((rule) =>
    'in' in rule && rule.feature === feature && rule.outcomes === undefined ? [rule.in] : [],
  );
  return vocabularyOf(definition).filter((code) => lists.every((list) => list.includes(code)));
}
