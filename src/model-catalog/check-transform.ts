import { applyStep, type InputColumn } from './column-value.ts';
import type { FeatureDefinition } from './feature-map-schema.ts';
import { plausibleRange } from './plausible-range.ts';
import { channelRange } from './sequence-range.ts';
import { valueKind } from './value-kind.ts';

/** That a transform is of a number, is in order, and has a number for every plausible value. */
export function checkTransform(
  { feature, at, transform = [] }: InputColumn,
  definition: FeatureDefinition,
  find: (path: string, message: string) => void,
): void {
  if (transform.length === 0) return;
  if (valueKind(definition) !== 'number' && at === undefined) {
    find('/transform', `${feature} is a ${valueKind(definition)}; only a number is transformed`);
    return;
  }
  let range: readonly [number, number] = (at === undefined
    ? plausibleRange(definition)
    : channelRange(definition, at.channel)) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  transform.forEach((step, index) => {
    const path = `/transform/${index}`;
    if ('clip' in step && index > 0) find(path, 'clip comes first: it is about the value as it was measured');
    if ('clip' in step && step.clip[0] >= step.clip[1]) find(path, 'the smallest value must be below the largest');
    if ('minMax' in step && step.minMax[0] >= step.minMax[1])
      find(path, 'the smallest value must be below the largest');
    if ('bins' in step && step.bins.some((edge, at) => at > 0 && edge <= (step.bins[at - 1] ?? edge)))
      find(path, 'the edges must ascend');
    const least = 'log' in step && step.log === 'log1p' ? -1 : 0;
    if ('log' in step && range[0] <= least)
      find(
        path,
        `takes ${step.log} of values from ${range[0]}; clip them, or make only values above ${least} plausible`,
      );
    range = [applyStep(range[0], step), applyStep(range[1], step)];
  });
}
