import type { Outcome } from '../../model-catalog/outcome-schema.ts';
import { PredictionError } from '../../platform/errors.ts';

/** The truth of one row, from the text of its cell: undefined where it is not known. Throws for a text that is nothing. */
export type ReadTruth = (text: string, place: string) => number | undefined;

/** Texts that mean that nothing is known, as data frames write them. */
const notKnown = new Set(['', 'NA', 'NaN', 'nan', 'null', 'None']);
const yes = new Set(['1', '1.0', 'true', 'True', 'TRUE']);
const no = new Set(['0', '0.0', 'false', 'False', 'FALSE']);

/**
 * How the labels of an outcome are read: 0 and 1 or false and true for an event (of a curve: until its horizon), a number in the unit for a measurement, the
 * code or the number of a class. A class whose code is one of the texts for "not known" (None, NA) is that class. Throws
 * PARAMETER_INVALID for anything else: a label that is not understood is not left out; and for an outcome one of whose class
 * codes is the number of another class, as a label could mean either.
 */
export function truthReader(outcome: Outcome): ReadTruth {
  const read = readerOf(outcome);
  return (text, place) => {
    const trimmed = text.trim();
    const truth = read.of(trimmed);
    if (truth !== undefined) return truth;
    if (notKnown.has(trimmed)) return undefined;
    throw new PredictionError(
      'PARAMETER_INVALID',
      `${place}: the label '${trimmed.slice(0, 40)}' is not ${read.allowed}, and not empty.`,
    );
  };
}

function readerOf(outcome: Outcome): { readonly allowed: string; of(text: string): number | undefined } {
  switch (outcome.kind) {
    case 'probability':
    case 'survival':
    case 'finding':
    case 'points':
    case 'anomaly':
      return { allowed: '0 or 1, false or true', of: (text) => (yes.has(text) ? 1 : no.has(text) ? 0 : undefined) };
    case 'measurement':
      return { allowed: `a number in ${outcome.unit}`, of: finite };
    case 'class': {
      const codes = new Map(outcome.classes.map(({ code, number }) => [code, number]));
      const numbers = new Set(outcome.classes.map(({ number }) => number));
      const doubtful = outcome.classes.find(({ code, number }) => {
        const meant = finite(code);
        return meant !== undefined && meant !== number && numbers.has(meant);
      });
      if (doubtful !== undefined)
        throw new PredictionError(
          'PARAMETER_INVALID',
          `labels of ${outcome.id} cannot be read: ${doubtful.code} is the code of the class with the number ${doubtful.number}, and the number of another class. ` +
            'A label is the code or the number of a class; in the manifest, give the class a code that is no number of another one.',
        );
      const known = outcome.classes.map(({ code, number }) => `${code} (${number})`).join(', ');
      return {
        allowed: `one of the classes ${known}`,
        of(text) {
          const number = codes.get(text) ?? finite(text);
          return number !== undefined && numbers.has(number) ? number : undefined;
        },
      };
    }
  }
}

function finite(text: string): number | undefined {
  // Number('') is 0, and an empty label is none.
  if (text === '') return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
