import type { FeatureDefinition } from './feature-map-schema.ts';
import type { SequenceChannel } from './sequence-grid.ts';

/** The smallest and largest number of a channel of a sequence; undefined of any other feature. */
export function channelRange(
  definition: FeatureDefinition,
  channel: SequenceChannel,
): readonly [number, number] | undefined {
  if (definition.kind !== 'sequence') return undefined;
  const { plausible, empty, steps } = definition;
  switch (channel) {
    case 'value':
      return [Math.min(plausible[0], empty.value), Math.max(plausible[1], empty.value)];
    case 'mask':
      return [0, 1];
    case 'since':
      return [0, Math.max(steps - 1, empty.since)];
  }
}
