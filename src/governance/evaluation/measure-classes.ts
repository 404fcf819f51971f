import { type BootstrapSettings, bootstrapFigures } from './bootstrap.ts';
import type { Figure } from './figure.ts';
import type { Measures } from './measure-events.ts';
import { f1Score } from './threshold-table.ts';
import { proportion } from './wilson.ts';

/** Classes that were said and that were true, row by row, each as its place in the list of classes. */
export interface PairedClasses {
  readonly said: Uint16Array;
  readonly truths: Uint16Array;
}

/** One class against all others. */
export interface ClassRow {
  readonly code: string;
  /** Rows that are of it. */
  readonly rows: number;
  readonly precision: Figure;
  readonly recall: Figure;
  readonly f1: Figure;
}

export interface ClassFigures {
  readonly measures: Measures;
  readonly classes: ClassRow[];
  /** By true class, then by the class that was said: rows. */
  readonly confusion: number[][];
}

/** @param codes every class of the outcome, in its order; macro F1 is the mean over all of them that occur */
export function classFigures(
  { said, truths }: PairedClasses,
  codes: readonly string[],
  settings: BootstrapSettings,
): ClassFigures {
  const rows = said.length;
  const confusion = confusionOf({ said, truths }, codes.length);
  const figures = bootstrapFigures(
    rows,
    f1Of(confusion),
    (counts) => f1Of(confusionOf({ said, truths }, codes.length, counts)),
    settings,
  );
  const right = codes.reduce((sum, _, index) => sum + (confusion[index]?.[index] ?? 0), 0);
  return {
    measures: {
      accuracy: proportion(right, rows, 'no row has a score and a label'),
      'macro-f1': figures.at(-1) ?? { unavailable: 'no row has a score and a label' },
    },
    classes: codes.map((code, index) => {
      const { hits, saidSo, areSo } = marginsOf(confusion, index);
      return {
        code,
        rows: areSo,
        precision: proportion(hits, saidSo, 'the model said this class of no row'),
        recall: proportion(hits, areSo, 'no row is of this class'),
        f1: figures[index] ?? { unavailable: 'no row is of this class, and of none it was said' },
      };
    }),
    confusion,
  };
}

function confusionOf({ said, truths }: PairedClasses, classes: number, counts?: Uint32Array): number[][] {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < said.length; row += 1) {
    const line = confusion[truths[row] ?? -1];
    const at = said[row] ?? -1;
    if (line !== undefined) line[at] = (line[at] ?? 0) + (counts === undefined ? 1 : (counts[row] ?? 0));
  }
  return confusion;
}

function marginsOf(confusion: readonly (readonly number[])[], index: number) {
  return {
    hits: confusion[index]?.[index] ?? 0,
    saidSo: confusion.reduce((sum, line) => sum + (line[index] ?? 0), 0),
    areSo: (confusion[index] ?? []).reduce((sum, count) => sum + count, 0),
  };
}

/** F1 of each class, and then their mean over the classes that have one. */
function f1Of(confusion: readonly (readonly number[])[]): (number | undefined)[] {
  const each = confusion.map((_, index) => {
    const { hits, saidSo, areSo } = marginsOf(confusion, index);
    return f1Score(hits, saidSo - hits, areSo - hits);
  });
  const known = each.filter((value) => value !== undefined);
  return [...each, known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length];
}
