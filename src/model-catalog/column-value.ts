import type { MissingInput } from './missing-input.ts';
import type { SequenceChannel } from './sequence-grid.ts';
import type { InputColumn } from './tensor-schema.ts';
import type { TransformStep } from './transform-schema.ts';

export type { InputColumn } from './tensor-schema.ts';

/**
 * What stands for a value in a column: yes and no as 1 and 0, codes as the column encodes them, numbers after its transform;
 * 0 in an indicator of absence; a code that is not encoded, and the words of a text, as they are. Undefined where the column
 * has nothing for the value.
 */
export function columnValue(
  { encode, transform, indicator }: Pick<InputColumn, 'encode' | 'transform' | 'indicator'>,
  value: number | boolean | string,
): number | string | undefined {
  if (indicator !== undefined) return 0;
  if (typeof value === 'string') return encode === undefined ? value : encode[value];
  const number = Number(value);
  return transform === undefined ? number : transform.reduce(applyStep, number);
}

/** The numbers of a sequence by channel, one for each bin from the oldest to the newest. */
export type SequenceNumbers = Readonly<Record<SequenceChannel, readonly number[]>>;

/** The number of a sequence that a column takes: its transform is of that number. */
export function sequenceColumnValue(
  column: Pick<InputColumn, 'at' | 'transform'>,
  numbers: SequenceNumbers,
): number | string | undefined {
  const { at } = column;
  const number = at === undefined ? undefined : numbers[at.channel][at.bin];
  return number === undefined ? undefined : columnValue({ ...column, encode: undefined }, number);
}

/** What stands for a value that is missing on purpose: 1 in an indicator, else the constant or NaN. */
export function missingColumnValue(
  column: Pick<InputColumn, 'encode' | 'transform' | 'indicator'>,
  given: MissingInput,
): number | string | undefined {
  if (column.indicator !== undefined) return 1;
  return given.as === 'nan' ? Number.NaN : columnValue(column, given.value);
}

/** Where a column takes a limit for the value: that limit; undefined where it takes the value itself. */
export function clippedTo({ transform = [] }: Pick<InputColumn, 'transform'>, value: number): number | undefined {
  const [first] = transform;
  if (first === undefined || !('clip' in first)) return undefined;
  const taken = applyStep(value, first);
  return taken === value ? undefined : taken;
}

export function applyStep(value: number, step: TransformStep): number {
  if ('clip' in step) return Math.min(Math.max(value, step.clip[0]), step.clip[1]);
  if ('log' in step) return logarithms[step.log](value);
  if ('zScore' in step) return (value - step.zScore.mean) / step.zScore.sd;
  if ('minMax' in step) return (value - step.minMax[0]) / (step.minMax[1] - step.minMax[0]);
  return step.bins.filter((edge) => value >= edge).length;
}

const logarithms = { ln: Math.log, log2: Math.log2, log10: Math.log10, log1p: Math.log1p } as const;
