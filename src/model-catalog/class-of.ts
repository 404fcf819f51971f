import type { ClassOutcome } from './outcome-schema.ts';
import { softmax } from './probability-of.ts';

/** How far from 1 probabilities of float32 may add up to. */
const roundingOfSum = 1e-3;

/** A class that was said; the probability only where the outputs hold one for each class. */
export interface SaidClass {
  /** See OutcomeClass.number. */
  readonly number: number;
  /** Of that class, 0..1. */
  readonly probability?: number;
}

/**
 * The class that a row of the outputs says: by its number, or as the most probable one. A text on why there is none, as it
 * follows "is": two are equally probable and the manifest does not say which counts, or the numbers are no probabilities.
 */
export function classOf(outcome: ClassOutcome, row: readonly number[]): SaidClass | string {
  if (outcome.column !== undefined) return { number: row[outcome.column] ?? Number.NaN };
  const numbers = numbersOf(outcome, row);
  if (numbers.some(Number.isNaN)) return 'not there for every class';
  const greatest = Math.max(...numbers);
  const at = numbers.indexOf(greatest);
  if (outcome.ties !== 'first' && numbers.lastIndexOf(greatest) !== at)
    return `the same for ${outcome.classes[at]?.code} and ${outcome.classes[numbers.lastIndexOf(greatest)]?.code}, and the manifest does not say which counts`;
  const probabilities = probabilitiesOf(outcome, numbers);
  if (typeof probabilities === 'string') return probabilities;
  return { number: outcome.classes[at]?.number ?? Number.NaN, probability: probabilities[at] ?? Number.NaN };
}

/** How probable the class of a number is by a row, 0..1, whichever is said; a text on why that is not known, as it follows "is". */
export function classProbability(outcome: ClassOutcome, row: readonly number[], number: number): number | string {
  const numbers = numbersOf(outcome, row);
  if (numbers.some(Number.isNaN)) return 'not there for every class';
  const probabilities = probabilitiesOf(outcome, numbers);
  if (typeof probabilities === 'string') return probabilities;
  return probabilities[outcome.classes.findIndex((each) => each.number === number)] ?? 'none of its classes';
}

function numbersOf({ classes }: ClassOutcome, row: readonly number[]): number[] {
  return classes.map(({ column }) => (column === undefined ? Number.NaN : (row[column] ?? Number.NaN)));
}

function probabilitiesOf({ link, calibration }: ClassOutcome, numbers: readonly number[]): readonly number[] | string {
  if (link === 'softmax') return softmax(numbers.map((number) => number / (calibration?.temperature ?? 1)));
  const sum = numbers.reduce((all, number) => all + number, 0);
  if (numbers.every((number) => number >= 0 && number <= 1) && Math.abs(sum - 1) <= roundingOfSum) return numbers;
  return 'no probabilities that add up to 1';
}
