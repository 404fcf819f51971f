import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addDuration, durationText, fhirDateTime } from '../../src/results/duration.ts';

test('RA-3 a horizon ends on the same local day and time, whatever leap days and clock changes lie between', () => {
  const end = (from: string, duration: string, zone: string) =>
    addDuration(new Date(from), duration, zone).toISOString();
  expect(end('2026-03-01T09:00:00Z', 'P10Y', 'Europe/Berlin')).toBe('2036-03-01T09:00:00.000Z');
  expect(end('2026-03-01T09:00:00Z', 'P30D', 'Europe/Berlin')).toBe('2026-03-31T08:00:00.000Z');
  expect(end('2026-03-01T09:00:00Z', 'P30D', 'UTC')).toBe('2026-03-31T09:00:00.000Z');
  expect(end('2024-02-29T12:00:00Z', 'P1Y', 'UTC')).toBe('2025-02-28T12:00:00.000Z');
  expect(end('2024-12-31T23:30:00Z', 'P2M', 'Asia/Tokyo')).toBe('2025-02-28T23:30:00.000Z');
  expect(end('2026-03-01T09:00:00Z', 'P2W', 'UTC')).toBe('2026-03-15T09:00:00.000Z');
});

test('a duration reads as words', () => {
  expect(['P10Y', 'P1Y', 'P30D', 'P6M', 'P2W'].map(durationText)).toEqual([
    '10 years',
    '1 year',
    '30 days',
    '6 months',
    '2 weeks',
  ]);
  expect(() => durationText('P1Y6M')).toThrow(expect.objectContaining({ code: 'RESULT_INVALID' }));
});

test('an instant is written with the offset of the site', () => {
  expect(fhirDateTime(new Date('2026-03-01T09:00:00Z'), 'Europe/Berlin')).toBe('2026-03-01T10:00:00+01:00');
  expect(fhirDateTime(new Date('2026-03-01T09:00:00.250Z'), 'UTC')).toBe('2026-03-01T09:00:00.250Z');
  expect(() => fhirDateTime(new Date(), 'Mars/Olympus')).toThrow(expect.objectContaining({ code: 'RESULT_INVALID' }));
});

test('at a site in UTC the calendar gives what it gives in any zone without clock changes', () => {
  const instants = fc.date({ min: new Date('1950-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
  const durations = fc
    .tuple(fc.integer({ min: 0, max: 400 }), fc.constantFrom('Y', 'M', 'W', 'D'))
    .map(([count, unit]) => `P${count}${unit}`);
  fc.assert(
    fc.property(instants, durations, (instant, duration) => {
      expect(addDuration(instant, duration, 'UTC')).toEqual(addDuration(instant, duration, 'Etc/GMT'));
      expect(fhirDateTime(instant, 'UTC').replace('Z', '+00:00')).toBe(
        fhirDateTime(instant, 'Etc/GMT').replace('Z', '+00:00'),
      );
    }),
    { numRuns: 2_000 },
  );
});
