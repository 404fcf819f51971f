import type { RecordReader } from './record-source.ts';

/** What a message needs to say where a resource lies or is missing. */
export type Place = Pick<RecordReader, 'base' | 'heldByCaller'>;

/** Where a resource lies or is missing, in a message. */
export function placeOf({ base, heldByCaller }: Place): string {
  return heldByCaller === true ? 'among the resources of the call' : `at ${base}`;
}
