import type { Manifest } from './manifest-schema.ts';
import { outputOfColumn, outputWidth } from './model-tensors.ts';
import type { ClassOutcome, FindingOutcome, Outcome, ProbabilityOutcome, SurvivalOutcome } from './outcome-schema.ts';
import { ownColumns } from './outcome-score.ts';
import { repeated } from './repeated.ts';

type Find = (path: string, message: string) => void;

/** That every column that an outcome reads is there, and that labels come from an output of strings, and from nothing else. */
export function checkReadColumns(outcome: Outcome, manifest: Manifest, find: Find): void {
  const width = outputWidth(manifest);
  const links = isLinked(outcome) && typeof outcome.link === 'object' ? outcome.link.softmax : [];
  for (const column of [...ownColumns(outcome), ...links]) {
    if (column >= width) find('/column', `is ${column}, but the output has columns 0 to ${width - 1}`);
    const output = outputOfColumn(manifest, column);
    if (output?.type !== 'string') continue;
    if (outcome.kind !== 'class' || outcome.column === undefined) {
      find('/column', `is of the output ${output.name}, of texts: only the number of a class can be made of one`);
      continue;
    }
    outcome.classes.forEach(({ classLabel }, index) => {
      if (typeof classLabel !== 'string')
        find(`/classes/${index}/classLabel`, `is needed: the output ${output.name} says classes by their labels`);
    });
  }
}

/** What the schema cannot say of links, calibrations, columns of classes and points of a curve. */
export function checkPostProcessing(outcome: Outcome, find: Find): void {
  if (isLinked(outcome)) checkProbability(outcome, find);
  if (outcome.kind === 'class') checkClass(outcome, find);
  if (outcome.kind === 'survival') checkSurvival(outcome, find);
}

function isLinked(outcome: Outcome): outcome is ProbabilityOutcome | FindingOutcome {
  return outcome.kind === 'probability' || outcome.kind === 'finding';
}

function checkProbability({ column, link, calibration }: ProbabilityOutcome | FindingOutcome, find: Find): void {
  if (typeof link === 'object' && !link.softmax.includes(column))
    find('/link/softmax', `does not name the column ${column}, whose share is the probability`);
  if (calibration?.method === 'temperature' && link === undefined)
    find('/calibration', 'divides what goes into a link; name the link, or use platt with the slope 1 / temperature');
  if (calibration?.method !== 'isotonic') return;
  const { x, y } = calibration;
  if (x.length !== y.length) find('/calibration/y', `has ${y.length} points, but x has ${x.length}`);
  if (x.some((each, at) => at > 0 && each <= (x[at - 1] ?? each)))
    find('/calibration/x', 'must rise from point to point');
  if (y.some((each, at) => at > 0 && each < (y[at - 1] ?? each))) find('/calibration/y', 'must not fall');
}

/** Days of one unit, the longest for the earlier and the shortest for the later: one that may not be later is not. */
const days = { D: [1, 1], W: [7, 7], M: [31, 28], Y: [366, 365] } as const;

function daysOf(duration: string, which: 0 | 1): number {
  return Number(duration.slice(1, -1)) * days[duration.at(-1) as keyof typeof days][which];
}

function checkSurvival({ times, horizon }: SurvivalOutcome, find: Find): void {
  if (!times.some(({ at }) => at === horizon))
    find('/horizon', `is ${horizon}, which is none of its times: ${times.map(({ at }) => at).join(', ')}`);
  times.forEach(({ at }, index) => {
    const before = times[index - 1]?.at;
    if (before !== undefined && daysOf(before, 0) >= daysOf(at, 1))
      find(`/times/${index}/at`, `is ${at}, which is not surely later than ${before}`);
  });
}

function checkClass({ column, classes, link, calibration, ties }: ClassOutcome, find: Find): void {
  const own = classes.flatMap((each) => each.column ?? []);
  if (column === undefined && own.length < classes.length)
    find('/column', 'is needed, or one for each of the classes: {"column": 0} holds how probable that class is');
  if (column !== undefined && own.length > 0)
    find('/classes', 'have columns of their own beside the column of the number; declare one or the other');
  for (const each of repeated(own.map(String))) find('/classes', `the column ${each} belongs to two classes`);
  if (column !== undefined)
    for (const [key, value] of Object.entries({ link, calibration, ties }))
      if (value !== undefined) find(`/${key}`, 'is for classes with columns of their own');
  if (calibration !== undefined && link === undefined)
    find('/calibration', 'divides what goes into a link; name the link');
  for (const label of repeated(
    classes.flatMap(({ classLabel }) => (classLabel === undefined ? [] : [String(classLabel)])),
  ))
    find('/classes', `two classes have the label ${label}`);
}
