import type { InputColumn } from './column-value.ts';
import type { FeatureDefinition, SequenceDefinition } from './feature-map-schema.ts';
import { stepMs } from './sequence-grid.ts';

type Find = (path: string, message: string) => void;

/** That the grid has a length, and that what is said of its bins is about bins that it has. */
export function checkSequence(definition: SequenceDefinition, find: Find): void {
  const { steps, fill, atLeast } = definition;
  if (stepMs(definition) === 0) find('/step', 'must be longer than nothing');
  if (fill !== undefined && fill.limit >= steps) find('/fill/limit', `must be below the ${steps} bins of the grid`);
  if (atLeast > steps) find('/atLeast', `is more than the ${steps} bins of the grid`);
}

/** That a column of a sequence says which number of it, and no other column does. False where it says so wrongly. */
export function checkAt({ feature, at, encode }: InputColumn, definition: FeatureDefinition, find: Find): boolean {
  if (definition.kind !== 'sequence') {
    if (at !== undefined) find('/at', `is for a sequence, which ${feature} is not`);
    return at === undefined;
  }
  if (encode !== undefined) find('/encode', `${feature} is a sequence and needs no encoding`);
  if (at === undefined)
    find(
      '/at',
      `is needed: ${feature} is a sequence, of which a column takes one number: {"bin": 0, "channel": "value"}`,
    );
  else if (at.bin >= definition.steps)
    find('/at/bin', `is ${at.bin}, but ${feature} has bins 0 to ${definition.steps - 1}`);
  else return encode === undefined;
  return false;
}
