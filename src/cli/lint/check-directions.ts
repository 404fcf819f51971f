import { encode } from '../../inference/score.ts';
import type { FeatureMap } from '../../model-catalog/feature-map-schema.ts';
import type { GoldenCase } from '../../model-catalog/golden-case-schema.ts';
import { goldenRow } from '../../model-catalog/golden-cases.ts';
import { type DeclaredDirection, declaredDirections } from '../../model-catalog/lint/declared-directions.ts';
import type { LintFinding } from '../../model-catalog/lint/lint-rule.ts';
import type { LintedModel } from '../../model-catalog/lint/linted-model.ts';
import { contains, populationRange } from '../../model-catalog/lint/population-range.ts';
import type { RunRows } from '../../model-catalog/model-row.ts';
import { inputColumns, outputOfColumn } from '../../model-catalog/model-tensors.ts';
import { outcomeScore, ownColumns } from '../../model-catalog/outcome-score.ts';
import { plausibleRange } from '../../model-catalog/plausible-range.ts';
import { valueKind } from '../../model-catalog/value-kind.ts';

/** Values of a feature that are tried around each golden case. */
const gridSize = 25;
/** A step the wrong way that rounding can make, by the type of the output. */
const rounding = { float32: 1e-6, others: 1e-12 } as const;

/**
 * Runs the model over the population's range of every feature with a declared direction, the other inputs being those of
 * each golden case, and reports the worst step the wrong way for each outcome.
 */
export async function checkDirections(model: LintedModel, run: RunRows): Promise<LintFinding[]> {
  const columns = inputColumns(model.manifest).map(({ feature }) => feature);
  const findings: LintFinding[] = [];
  for (const declared of declaredDirections(model.manifest)) {
    const definition = model.featureMap.features[declared.feature];
    // What cannot have a direction is reported by the rule direction-name.
    if (!columns.includes(declared.feature) || definition === undefined || valueKind(definition) === 'code') continue;
    const found = await tryDirection(model, declared, run);
    if (found !== undefined) findings.push({ file: 'manifest.json', path: declared.path, ...found });
  }
  return findings;
}

type Found = Pick<LintFinding, 'message' | 'rule' | 'severity'>;

async function tryDirection(model: LintedModel, declared: DeclaredDirection, run: RunRows): Promise<Found | undefined> {
  const { feature, outcome } = declared;
  const grid = gridOf(model.featureMap, feature, outcome.id);
  if (grid === undefined) return unchecked(declared, `${feature} has no range in the population and no plausible one`);
  const cases = model.golden
    .flatMap(({ content }) => content.cases)
    .filter((golden) => isInPopulation(model.featureMap, golden, feature, outcome.id));
  if (cases.length === 0) return unchecked(declared, 'no golden case lies in the population');
  const outputs = await run(cases.flatMap((golden) => grid.map((value) => rowOf(model, golden, feature, value))));
  const curves = cases.map((golden, index) => ({
    golden: golden.name,
    risks: outputs.slice(index * grid.length, (index + 1) * grid.length).map((row) => outcomeScore(outcome, row)),
  }));
  return judge(
    declared,
    grid,
    curves,
    ownColumns(outcome).some((column) => outputOfColumn(model.manifest, column)?.type === 'float32')
      ? rounding.float32
      : rounding.others,
  );
}

function unchecked({ outcome }: DeclaredDirection, because: string): Found {
  const message = `could not be checked for ${outcome.id}: ${because}`;
  return { rule: 'direction-unchecked', severity: 'warning', message };
}

/** How the risk goes over the grid around one golden case. */
interface Curve {
  readonly golden: string;
  readonly risks: readonly number[];
}

function judge(
  { feature, outcome, direction }: DeclaredDirection,
  grid: readonly number[],
  curves: readonly Curve[],
  leastStep: number,
): Found | undefined {
  const broken = (how: string): Found => ({
    rule: 'direction-broken',
    severity: 'error',
    message: `says that the risk of ${outcome.id} ${direction} with ${feature}, but the model's ${how}`,
  });
  const sign = direction === 'rises' ? 1 : -1;
  const steps = curves.flatMap(({ golden, risks }) =>
    risks.slice(1).map((after, at) => {
      const before = risks[at] ?? 0;
      return { golden, at, before, after, right: sign * (after - before) };
    }),
  );
  const [first, ...others] = steps;
  if (first === undefined || steps.every(({ right }) => Math.abs(right) <= leastStep))
    return broken('does not change with it');
  const worst = others.reduce((least, step) => (step.right < least.right ? step : least), first);
  if (worst.right >= -leastStep) return undefined;
  const { golden, at, before, after } = worst;
  return broken(
    `goes from ${before} to ${after} between ${shown(grid[at])} and ${shown(grid[at + 1])} (other inputs: golden case "${golden}")`,
  );
}

/** Without the digits that only dividing a range makes. */
function shown(value = Number.NaN): number {
  return Number(value.toPrecision(6));
}

/** The values that are tried, ascending; undefined where nothing says from where to where. */
function gridOf(map: FeatureMap, feature: string, outcome: string): readonly number[] | undefined {
  const definition = map.features[feature];
  if (definition !== undefined && valueKind(definition) === 'boolean') return [0, 1];
  const plausible = plausibleRange(definition);
  const range =
    populationRange(map, feature, outcome) ?? (plausible && { from: plausible[0], to: plausible[1], inclusive: true });
  if (range === undefined || range.from >= range.to) return undefined;
  const step = (range.to - range.from) / (range.inclusive ? gridSize - 1 : gridSize);
  return Array.from({ length: gridSize }, (_, index) => Math.min(range.to, range.from + index * step));
}

/** Whether the model may speak of a golden case, whatever the feature under test is. */
function isInPopulation(map: FeatureMap, { inputs }: GoldenCase, tested: string, outcome: string): boolean {
  const holds = ({ outcomes }: { readonly outcomes?: readonly string[] }): boolean =>
    outcomes?.includes(outcome) ?? true;
  return Object.entries(inputs).every(([feature, value]) => {
    if (feature === tested || value === null || Array.isArray(value)) return true;
    if (typeof value === 'number') return contains(populationRange(map, feature, outcome) ?? everything, value);
    const { exclude, require } = map.population;
    if (typeof value === 'boolean')
      return !exclude.some((rule) => rule.feature === feature && holds(rule) && rule.equals === value);
    return require.every(
      (rule) => rule.feature !== feature || !holds(rule) || !('in' in rule) || rule.in.includes(value),
    );
  });
}

const everything = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, inclusive: true };

function rowOf(
  { manifest, featureMap }: LintedModel,
  golden: GoldenCase,
  tested: string,
  value: number,
): (number | string)[] {
  const row = goldenRow(golden, manifest, featureMap);
  return inputColumns(manifest).map((column, index) =>
    // Load checks that golden cases have a value for every column.
    column.feature === tested ? encode(column, value) : (row[index] ?? Number.NaN),
  );
}
