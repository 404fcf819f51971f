import type { Finding } from './finding.ts';
import type { ModelOutputDefinition } from './model-output-schema.ts';
import type { Outcome } from './outcome-schema.ts';
import { pointsUnit, scoreRange } from './outcome-score.ts';

/** That each key of an output of another model goes with what its value is. */
export function checkModelOutput(
  { unit, plausible, whole, vocabulary }: ModelOutputDefinition,
  find: (path: string, message: string) => void,
): void {
  if (unit === undefined && vocabulary === undefined)
    find('', 'needs unit, where the outcome is a number, or vocabulary, where it is a class');
  if (unit !== undefined && vocabulary !== undefined)
    find('/vocabulary', 'is for a class; a number in a unit has none');
  if (unit !== undefined && plausible === undefined) find('/plausible', 'is needed by a number: what may be true');
  if (unit === undefined && plausible !== undefined) find('/plausible', 'is for a number, which needs a unit');
  if (unit === undefined && whole !== undefined) find('/whole', 'is for points, which need a unit');
}

/** That a feature says what the outcome is that it takes: same unit, same classes. Paths are below the feature. */
export function checkAgainstOutcome(
  { unit, plausible, whole, vocabulary = [] }: ModelOutputDefinition,
  outcome: Outcome,
): Pick<Finding, 'path' | 'message'>[] {
  const findings: Pick<Finding, 'path' | 'message'>[] = [];
  const find = (path: string, message: string): void => {
    findings.push({ path, message });
  };
  if (outcome.kind === 'class') {
    const codes = outcome.classes.map(({ code }) => code);
    if (unit !== undefined) find('/unit', `is ${unit}, but ${outcome.id} is a class; name its codes in vocabulary`);
    else if (codes.length !== vocabulary.length || codes.some((code) => !vocabulary.includes(code)))
      find('/vocabulary', `must be the classes of ${outcome.id}: ${codes.join(', ')}`);
    return findings;
  }
  const wanted = unitOfOutcome(outcome);
  if (unit === undefined) find('', `needs unit ${wanted}: ${outcome.id} is a number and no class`);
  else if (unit !== wanted) find('/unit', `is ${unit}, but ${outcome.id} is in ${wanted}; nothing is converted`);
  if (outcome.kind === 'points' && unit !== undefined && whole !== true)
    find('/whole', `must be true: ${outcome.id} is points`);
  if (outcome.kind !== 'points' && whole === true) find('/whole', `is for points; ${outcome.id} is none`);
  const [least, most] = scoreRange(outcome) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (plausible !== undefined && (plausible[0] < least || plausible[1] > most))
    find('/plausible', `goes beyond ${least} to ${most}, which ${outcome.id} never does`);
  return findings;
}

function unitOfOutcome(outcome: Exclude<Outcome, { kind: 'class' }>): string {
  if (outcome.kind === 'measurement') return outcome.unit;
  return outcome.kind === 'points' ? pointsUnit : '1';
}
