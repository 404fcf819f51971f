import { columnValue } from '../column-value.ts';
import type { FeatureMap } from '../feature-map-schema.ts';
import type { GoldenCase } from '../golden-case-schema.ts';
import { type GoldenModel, goldenRow } from '../golden-cases.ts';
import { type DeclaredDirection, declaredDirections } from '../lint/declared-directions.ts';
import { populationRange } from '../lint/population-range.ts';
import type { ModelRow, RunRows } from '../model-row.ts';
import { inputColumns, outputOfColumn } from '../model-tensors.ts';
import { outcomeScore, ownColumns } from '../outcome-score.ts';
import { plausibleRange } from '../plausible-range.ts';
import { valueKind } from '../value-kind.ts';
import { isInPopulation } from './in-population.ts';
import { runEach } from './run-each.ts';
import { spreadOver } from './spread-over.ts';

/** A declared direction that the model breaks, or that could not be tried. */
export interface DirectionFinding {
  readonly verdict: 'broken' | 'unchecked';
  /** JSON Pointer into the manifest */
  readonly path: string;
  readonly message: string;
}

export interface TriedDirections {
  readonly rows: number;
  readonly findings: readonly DirectionFinding[];
}

/** Values of a feature that are tried around each golden case. */
const gridSize = 25;
/** A step the wrong way that rounding can make, by the type of the output. */
const rounding = { float32: 1e-6, others: 1e-12 } as const;

/**
 * Runs the model over the population's range of every feature with a declared direction, the other inputs being those of
 * golden cases, and reports the worst step the wrong way for each outcome.
 * @param mostRows about how many rows may be run; at least those around one golden case for each direction
 */
export async function tryDirections(model: GoldenModel, run: RunRows, mostRows: number): Promise<TriedDirections> {
  const columns = inputColumns(model.manifest).map(({ feature }) => feature);
  // What cannot have a direction is reported by the lint rule direction-name.
  const tried = declaredDirections(model.manifest).filter(({ feature }) => {
    const definition = model.featureMap.features[feature];
    return columns.includes(feature) && definition !== undefined && valueKind(definition) !== 'code';
  });
  const mostCases = Math.max(1, Math.floor(mostRows / (gridSize * Math.max(1, tried.length))));
  const findings: DirectionFinding[] = [];
  let rows = 0;
  const counted: RunRows = (each) => {
    rows += each.length;
    return run(each);
  };
  for (const declared of tried) {
    const found = await tryDirection(model, declared, counted, mostCases);
    if (found !== undefined) findings.push({ path: declared.path, ...found });
  }
  return { rows, findings };
}

type Found = Omit<DirectionFinding, 'path'>;

async function tryDirection(
  model: GoldenModel,
  declared: DeclaredDirection,
  run: RunRows,
  mostCases: number,
): Promise<Found | undefined> {
  const { feature, outcome } = declared;
  const grid = gridOf(model.featureMap, feature, outcome.id);
  if (grid === undefined) return unchecked(declared, `${feature} has no range in the population and no plausible one`);
  const within = model.goldenCases.filter((golden) => isInPopulation(model.featureMap, golden, outcome.id, feature));
  const cases = spreadOver(within, mostCases);
  if (cases.length === 0) return unchecked(declared, 'no golden case lies in the population');
  const rows = cases.flatMap((golden) => grid.map((value) => rowOf(model, golden, feature, value)));
  const answers = await runEach(run, rows);
  const failed = answers.find((answer) => !Array.isArray(answer));
  if (failed !== undefined && !Array.isArray(failed)) {
    const message = `could not be checked for ${outcome.id}: the model ${failed.reason} between ${shown(grid[0])} and ${shown(grid.at(-1))}`;
    return { verdict: failed.byRule ? 'unchecked' : 'broken', message };
  }
  const outputs = answers.filter((answer) => Array.isArray(answer));
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
  return { verdict: 'unchecked', message: `could not be checked for ${outcome.id}: ${because}` };
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
    verdict: 'broken',
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

function rowOf({ manifest, featureMap }: GoldenModel, golden: GoldenCase, tested: string, value: number): ModelRow {
  const row = goldenRow(golden, manifest, featureMap);
  return inputColumns(manifest).map((column, index) => {
    // Load checks that golden cases have a value for every column, and that a number has one in every column of its feature.
    const held = column.feature === tested ? columnValue(column, value) : row[index];
    return held ?? Number.NaN;
  });
}
