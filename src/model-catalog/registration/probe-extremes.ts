import type { Finding } from '../finding.ts';
import type { GoldenCase } from '../golden-case-schema.ts';
import { type GoldenModel, goldenRow } from '../golden-cases.ts';
import { declaredDirections } from '../lint/declared-directions.ts';
import type { ModelRow, RunRows } from '../model-row.ts';
import { inputColumns } from '../model-tensors.ts';
import type { Outcome } from '../outcome-schema.ts';
import { type ExtremeValues, extremeValues, type GoldenValue } from './extreme-values.ts';
import { isInPopulation } from './in-population.ts';
import type { Checked } from './registration.ts';
import { runEach } from './run-each.ts';
import { scoreFault } from './score-fault.ts';
import { spreadOver } from './spread-over.ts';

/** One row, and the outcomes that the model may be asked about with it. */
interface Probe {
  readonly row: ModelRow;
  readonly outcomes: Set<Outcome>;
  /** What is at its extreme, as it follows "where". */
  readonly where: string;
  /** Everything at once: a number or points beyond their range are refused at the bedside too, and are only told. */
  readonly corner: boolean;
}

/** Golden cases whose other inputs are kept. */
const mostCases = 4;
const mostFindings = 8;

/**
 * Puts each input alone to the ends of what can reach the model, the others being those of golden cases, and all of them at
 * once, also where the declared directions say that the score is least and greatest. Each score has to be one that its
 * outcome can have; a row that is refused by a rule about numbers is only told.
 * @param mostRows about how many rows may be run
 */
export async function probeExtremes(model: GoldenModel, run: RunRows, mostRows: number): Promise<Checked> {
  const probes = probesOf(model, mostRows);
  const answers = await runEach(
    run,
    probes.map(({ row }) => row),
  );
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  probes.forEach(({ outcomes, where, corner }, index) => {
    const answer = answers[index];
    if (answer === undefined) return;
    const faults = Array.isArray(answer)
      ? [...outcomes].flatMap((outcome) => faultOf(outcome, answer, corner))
      : [{ message: answer.reason, isRefused: answer.byRule }];
    for (const { message, isRefused } of faults) {
      const end = isRefused ? '; such a result is refused, never shown' : wayOut;
      (isRefused ? notes : findings).push({ file: 'model.onnx', path: '', message: `${message} where ${where}${end}` });
    }
  });
  return {
    tested: 'rows with inputs at the ends of what can reach the model',
    count: probes.length,
    notes: notes.slice(0, mostFindings),
    findings: findings.slice(0, mostFindings),
  };
}

const wayOut =
  '. That can reach the model: mend the model, or narrow plausible or the population in feature-map.json (for a number: or widen the range of the outcome)';

/** `isRefused`: what says so at the bedside too, and is no fault of the model where everything is at its extreme. */
function faultOf(
  outcome: Outcome,
  answer: readonly number[],
  corner: boolean,
): { message: string; isRefused: boolean }[] {
  const fault = scoreFault(outcome, answer);
  return fault === undefined ? [] : [{ message: fault, isRefused: corner && outcome.kind !== 'probability' }];
}

function probesOf(model: GoldenModel, mostRows: number): Probe[] {
  const { manifest, featureMap, goldenCases } = model;
  const features = [...new Set(inputColumns(manifest).map(({ feature }) => feature))];
  const probes = new Map<string, Probe>();
  const add = (
    base: GoldenCase,
    values: Readonly<Record<string, GoldenValue>>,
    about: Outcome,
    where: string,
  ): void => {
    const golden = { ...base, inputs: { ...base.inputs, ...values } };
    if (!isInPopulation(featureMap, golden, about.id)) return;
    const name = `${where} (other inputs: golden case "${base.name}")`;
    const known = probes.get(name);
    const corner = Object.keys(values).length > 1;
    if (known === undefined)
      probes.set(name, {
        row: goldenRow(golden, manifest, featureMap),
        outcomes: new Set([about]),
        where: name,
        corner,
      });
    else known.outcomes.add(about);
  };
  for (const outcome of manifest.outcomes) {
    const extremes = new Map<string, ExtremeValues>();
    for (const feature of features) {
      const values = extremeValues(manifest, featureMap, feature, outcome.id);
      if (values !== undefined) extremes.set(feature, values);
    }
    const within = (tested?: string) =>
      goldenCases.filter((golden) => isInPopulation(featureMap, golden, outcome.id, tested));
    const each = Math.min(mostCases, Math.max(1, Math.floor(mostRows / (2 * Math.max(1, extremes.size)))));
    for (const [feature, { all }] of extremes)
      for (const base of spreadOver(within(feature), each))
        for (const value of all) add(base, { [feature]: value }, outcome, `${feature} is ${shown(value)}`);
    const [first] = within();
    if (first === undefined || extremes.size < 2) continue;
    for (const [name, values] of cornersOf(model, outcome, extremes)) add(first, values, outcome, name);
  }
  return [...probes.values()];
}

/** All inputs at their lowest, all at their highest, and all where the directions say that the score is least, and greatest. */
function cornersOf(
  { manifest }: GoldenModel,
  outcome: Outcome,
  extremes: ReadonlyMap<string, ExtremeValues>,
): [string, Readonly<Record<string, GoldenValue>>][] {
  const pick = (which: (feature: string, values: ExtremeValues) => GoldenValue | undefined) =>
    Object.fromEntries(
      [...extremes].flatMap(([feature, values]) => {
        const value = which(feature, values);
        return value === undefined ? [] : [[feature, value]];
      }),
    );
  const directions = new Map(
    declaredDirections(manifest).flatMap((each) =>
      each.outcome.id === outcome.id ? [[each.feature, each.direction] as const] : [],
    ),
  );
  const along = (rising: 'lowest' | 'highest') =>
    pick((feature, values) => {
      const direction = directions.get(feature);
      if (direction === undefined) return undefined;
      const falling = rising === 'lowest' ? 'highest' : 'lowest';
      return values[direction === 'rises' ? rising : falling];
    });
  return [
    ['all inputs are at their lowest', pick((_, { lowest }) => lowest)],
    ['all inputs are at their highest', pick((_, { highest }) => highest)],
    ...(directions.size < 2
      ? []
      : ([
          ['all declared directions lead down', along('lowest')],
          ['all declared directions lead up', along('highest')],
        ] as [string, Readonly<Record<string, GoldenValue>>][])),
  ];
}

function shown(value: GoldenValue): string {
  return Array.isArray(value) ? `${value[0]?.[0]} in each bin` : String(value);
}
