import fc from 'fast-check';
import { DateTime, Duration } from 'luxon';
import { expect, test } from 'vitest';
import { before } from '../../src/model-catalog/record-queries.ts';

test('a duration before an instant is that of the calendar in UTC, to the millisecond', () => {
  const instants = fc.date({ min: new Date('1950-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
  const count = fc.integer({ min: 0, max: 900 });
  const durations = fc.oneof(
    fc.tuple(count, fc.constantFrom('Y', 'M', 'W', 'D')).map(([number, unit]) => `P${number}${unit}`),
    fc.tuple(count, count).map(([months, days]) => `P${months}M${days}D`),
    fc.constantFrom('P1Y6M', 'P2Y3M2W1D', 'PT36H', 'P1DT12H', 'P1.5Y'),
  );
  fc.assert(
    fc.property(instants, durations, (instant, duration) => {
      const expected = DateTime.fromJSDate(instant, { zone: 'utc' }).minus(Duration.fromISO(duration)).toJSDate();
      expect(before(instant, duration).toISOString()).toBe(expected.toISOString());
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  ['2024-03-31T08:00:00.000Z', 'P1M', '2024-02-29T08:00:00.000Z'],
  ['2024-02-29T08:00:00.000Z', 'P1Y', '2023-02-28T08:00:00.000Z'],
])('%s less %s is %s', (instant, duration, expected) => {
  expect(before(new Date(instant), duration).toISOString()).toBe(expected);
});
