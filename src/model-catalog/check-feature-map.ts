import { checkPopulation } from './check-population.ts';
import { compileExpression } from './expression.ts';
import type {
  DemographicsDefinition,
  DerivedDefinition,
  Expression,
  FeatureDefinition,
  FeatureMap,
} from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import { valueKind, vocabularyOf } from './value-kind.ts';

const file = 'feature-map.json';

/** What the schema of a feature map cannot say: that its parts fit each other. */
export function checkFeatureMap(map: FeatureMap, outcomes: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  const find = (path: string, message: string): void => {
    findings.push({ file, path, message });
  };
  for (const [name, definition] of Object.entries(map.features)) {
    checkDefinition(definition, (path, message) => find(`/features/${name}${path}`, message));
    if (definition.kind === 'derived') {
      checkExpression(definition, map, (message) => find(`/features/${name}/expression`, message));
    }
  }
  for (const cycle of cycles(map))
    find(`/features/${cycle[0]}/expression`, `is derived from itself: ${cycle.join(' -> ')}`);
  checkPopulation(map, outcomes, find);
  return findings;
}

function checkDefinition(definition: FeatureDefinition, find: (path: string, message: string) => void): void {
  if (
    'plausible' in definition &&
    definition.plausible !== undefined &&
    definition.plausible[0] >= definition.plausible[1]
  ) {
    find('/plausible', 'the smallest value must be below the largest');
  }
  if (definition.kind === 'demographics') checkVocabulary(definition, find);
  if (definition.kind === 'observation') {
    if (definition.codes === undefined && definition.component === undefined)
      find('', 'needs codes, component or both');
    for (const conversion of definition.conversions ?? []) {
      if (conversion.from === definition.unit) find('/conversions', `converts ${conversion.from} to itself`);
    }
    repeated((definition.conversions ?? []).map(({ from }) => from)).forEach((from) => {
      find('/conversions', `converts ${from} twice`);
    });
  }
  if (definition.kind === 'answer') {
    for (const code of definition.yes.filter((yes) => definition.no.includes(yes)))
      find('/no', `${code} is also a yes`);
  }
}

function checkVocabulary(definition: DemographicsDefinition, find: (path: string, message: string) => void): void {
  const values = vocabularyOf(definition);
  if (definition.element === 'age' && values.length > 0) find('/vocabulary', 'age has no vocabulary');
  if (definition.element !== 'age' && values.length === 0)
    find('/vocabulary', `${definition.element} needs a vocabulary`);
  repeated(Object.values(definition.vocabulary ?? {}).flat()).forEach((code) => {
    find('/vocabulary', `${code} stands for two values`);
  });
  if (Object.values(definition.vocabulary ?? {}).filter((codes) => codes.length === 0).length > 1) {
    find('/vocabulary', 'only one value may be the empty one, which stands for every other');
  }
}

function checkExpression(definition: DerivedDefinition, map: FeatureMap, find: (message: string) => void): void {
  try {
    compileExpression(definition.expression);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    find(error.message);
    return;
  }
  const known = (name: string): FeatureDefinition | undefined => {
    const found = Object.hasOwn(map.features, name) ? map.features[name] : undefined;
    if (found === undefined) find(`reads the feature ${name}, which the map does not define`);
    return found;
  };
  const visit = (node: Expression): void => {
    if (typeof node === 'number') return;
    if (typeof node === 'string') {
      const feature = known(node);
      if (feature !== undefined && valueKind(feature) === 'code')
        find(`computes with ${node}, which is a code; use if-equal`);
      return;
    }
    const [operator, ...operands] = node;
    if (operator !== 'if-equal') {
      operands.forEach(visit);
      return;
    }
    const [name, code, ...branches] = operands;
    const feature = known(String(name));
    if (feature !== undefined && !vocabularyOf(feature).includes(String(code))) {
      find(`compares ${name} with ${code}, which is not in its vocabulary`);
    }
    branches.forEach(visit);
  };
  visit(definition.expression);
}

/** Each chain of derived features that leads back to its start, once. */
function cycles(map: FeatureMap): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start >= 0) {
      found.push([...path.slice(start), name]);
      return;
    }
    const definition = map.features[name];
    if (done.has(name) || definition?.kind !== 'derived') return;
    for (const read of readsOf(definition.expression)) visit(read, [...path, name]);
    done.add(name);
  };
  for (const name of Object.keys(map.features)) visit(name, []);
  return found;
}

function readsOf(expression: Expression): readonly string[] {
  try {
    return compileExpression(expression).reads;
  } catch (error) {
    // Reported by checkExpression.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

export function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
