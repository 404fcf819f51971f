import { describe, expect, it } from 'vitest';
import { instantRange } from '../../src/fhir/instant-range.ts';

const hourMs = 3_600_000;
const rangeIn = (text: string, zone: string) => {
  const range = instantRange(text, zone);
  return range && { start: new Date(range.start).toISOString(), hours: (range.end - range.start) / hourMs };
};

describe('one text in two zones', () => {
  it.each([
    ['2024-03-31', '2024-03-30T23:00:00.000Z', 23, '2024-03-31T04:00:00.000Z', 24],
    ['2024-11-03', '2024-11-02T23:00:00.000Z', 24, '2024-11-03T04:00:00.000Z', 25],
    ['2024-03', '2024-02-29T23:00:00.000Z', 743, '2024-03-01T05:00:00.000Z', 743],
    ['2024', '2023-12-31T23:00:00.000Z', 8784, '2024-01-01T05:00:00.000Z', 8784],
  ])(
    'is read by the clocks of each, however often and in whatever order it was read: %s',
    (text, berlin, hours, newYork, others) => {
      const inBerlin = { start: berlin, hours };
      const inNewYork = { start: newYork, hours: others };
      const zones = ['Europe/Berlin', 'America/New_York', 'Europe/Berlin', 'America/New_York'];
      expect(zones.map((zone) => rangeIn(text, zone))).toEqual([inBerlin, inNewYork, inBerlin, inNewYork]);
      const inUtc = rangeIn(text, 'UTC');
      expect(inUtc?.start).toBe(new Date(text).toISOString());
      expect(rangeIn(text, 'Europe/Berlin')).toEqual(inBerlin);
    },
  );

  it('is refused in both where there is no such day', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Europe/Berlin'])
      expect(instantRange('2023-02-29', zone)).toBeUndefined();
  });
});
