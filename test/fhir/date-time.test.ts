import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isFhirDate, isFhirDateTime, isFhirInstant, parseFhirDate } from '../../src/fhir/date-time.ts';

const zone = 'America/New_York';

test.each([
  ['2024', '2024-01-01T05:00:00.000Z', '2025-01-01T05:00:00.000Z'],
  ['2024-05', '2024-05-01T04:00:00.000Z', '2024-06-01T04:00:00.000Z'],
  ['2024-03-10', '2024-03-10T05:00:00.000Z', '2024-03-11T04:00:00.000Z'],
  ['2024-05-01T10:00Z', '2024-05-01T10:00:00.000Z', '2024-05-01T10:01:00.000Z'],
  ['2024-05-01T10:00:30+02:00', '2024-05-01T08:00:30.000Z', '2024-05-01T08:00:31.000Z'],
  ['2024-05-01T10:00:30.5Z', '2024-05-01T10:00:30.500Z', '2024-05-01T10:00:30.501Z'],
  ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000Z', '2017-01-01T00:00:00.000Z'],
])('%s is the time from %s up to %s', (text, start, end) => {
  const interval = parseFhirDate(text, zone);
  expect([interval?.start.toISOString(), interval?.end.toISOString()]).toEqual([start, end]);
});

test.each([
  ['Africa/Cairo', '2024-04-26', '2024-04-25T22:00:00.000Z', '2024-04-26T21:00:00.000Z'],
  ['Africa/Cairo', '2024-04', '2024-03-31T22:00:00.000Z', '2024-04-30T21:00:00.000Z'],
  ['Asia/Beirut', '2024-03-31', '2024-03-30T22:00:00.000Z', '2024-03-31T21:00:00.000Z'],
  ['America/Santiago', '2024-09-08', '2024-09-08T04:00:00.000Z', '2024-09-09T03:00:00.000Z'],
  ['America/Havana', '2024-03-10', '2024-03-10T05:00:00.000Z', '2024-03-11T04:00:00.000Z'],
  ['America/Havana', '2024-11-02', '2024-11-02T04:00:00.000Z', '2024-11-03T04:00:00.000Z'],
  ['America/Havana', '2024-11-03', '2024-11-03T04:00:00.000Z', '2024-11-04T05:00:00.000Z'],
  ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z', '2018-11-05T02:00:00.000Z'],
  ['America/Sao_Paulo', '2018-02-17', '2018-02-17T02:00:00.000Z', '2018-02-18T03:00:00.000Z'],
])('in %s, where clocks change at midnight, %s ends where the next one starts', (midnightZone, text, start, end) => {
  const interval = parseFhirDate(text, midnightZone);
  expect([interval?.start.toISOString(), interval?.end.toISOString()]).toEqual([start, end]);
});

test.each([
  '2024-02-30',
  '2023-02-29',
  '2024-13',
  '2024-00',
  '2024-04-31',
  '2024-05-01T24:00:00Z',
  '2024-05-01T10:60:00Z',
  '0000',
  '24-05-01',
  '2024-5-1',
  '',
  'today',
  '2024-05-01T10:00:00+15:00',
])('%s is no date', (text) => {
  expect(parseFhirDate(text, zone)).toBeUndefined();
  expect(isFhirDate(text) || isFhirDateTime(text) || isFhirInstant(text)).toBe(false);
});

test('a dateTime with a time needs its seconds and its offset, an instant needs everything', () => {
  expect(['2024', '2024-05-01', '2024-05-01T10:00:00Z'].map(isFhirDateTime)).toEqual([true, true, true]);
  expect(['2024-05-01T10:00:00', '2024-05-01T10:00Z'].map(isFhirDateTime)).toEqual([false, false]);
  expect(['2024-05-01T10:00:00.123-05:00', '2024-05-01', '2024-05-01T10:00:00'].map(isFhirInstant)).toEqual([
    true,
    false,
    false,
  ]);
});

test('every instant of JavaScript reads back as itself', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0002-01-01'), max: new Date('9998-01-01'), noInvalidDate: true }), (date) => {
      expect(parseFhirDate(date.toISOString(), zone)?.start).toEqual(date);
    }),
  );
});

test('a date is told to exist by what it says, however it is told', () => {
  const part = (least: number, most: number, length: number) =>
    fc.integer({ min: least, max: most }).map((number) => String(number).padStart(length, '0'));
  const day = fc.tuple(part(0, 2400, 4), part(0, 13, 2), part(0, 32, 2)).map((parts) => parts.join('-'));
  const time = fc.tuple(part(0, 25, 2), part(0, 61, 2), part(0, 62, 2)).map((parts) => parts.join(':'));
  const hours = fc
    .tuple(fc.constantFrom('+', '-'), part(0, 15, 2), part(0, 61, 2))
    .map(([sign, h, m]) => `${sign}${h}:${m}`);
  const ends = fc.oneof(hours, fc.constantFrom('Z', '.1Z', '.123Z', '.1234Z', '', 'z', '.12', '.12aZ', '+0200'));
  const dates = fc.oneof(
    day,
    fc.tuple(day, time, ends).map(([date, clock, end]) => `${date}T${clock}${end}`),
  );
  fc.assert(
    fc.property(dates, (text) => {
      const real = parseFhirDate(text, 'UTC') !== undefined;
      const withTime = /T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
      expect(isFhirDateTime(text), text).toBe(real && (withTime || !text.includes('T')));
      expect(isFhirInstant(text), text).toBe(real && withTime);
    }),
    { numRuns: 5_000 },
  );
});

test('a day in UTC is the same by plain arithmetic and by the rules of the zone', () => {
  const texts = ['1999-12-31', '2000-02-29', '2024-02', '2024-12', '2024', '1000-01-01', '0999-05-05', '9999-12-31'];
  for (const text of texts) expect(parseFhirDate(text, 'UTC'), text).toEqual(parseFhirDate(text, 'Etc/GMT'));
});
