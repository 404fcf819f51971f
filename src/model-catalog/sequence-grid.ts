import type { SequenceDefinition } from './sequence-schema.ts';

type Grid = Pick<SequenceDefinition, 'step' | 'steps'>;

const unitMs: Readonly<Record<string, number>> = { M: 60_000, H: 3_600_000, D: 86_400_000, W: 604_800_000 };

/** Length of one bin in milliseconds: a day has 24 hours. */
export function stepMs({ step }: Pick<Grid, 'step'>): number {
  const { amount, letter } = partsOf(step);
  return amount * (unitMs[letter] ?? Number.NaN);
}

/** How long the whole grid is, as an ISO 8601 duration. */
export function gridWindow({ step, steps }: Grid): string {
  const { amount, letter } = partsOf(step);
  return `P${letter === 'H' || letter === 'M' ? 'T' : ''}${amount * steps}${letter}`;
}

function partsOf(step: string): { readonly amount: number; readonly letter: string } {
  const [, amount, letter] = /^PT?(\d+)([MHDW])$/.exec(step) ?? [];
  if (amount === undefined || letter === undefined) throw new RangeError(`'${step}' is no step of a grid`);
  return { amount: Number(amount), letter };
}

/** The three numbers of one bin. */
export const sequenceChannels = ['value', 'mask', 'since'] as const;
export type SequenceChannel = (typeof sequenceChannels)[number];
