import type { Observation } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import type { ExtractionContext } from '../../src/features/feature-extractor.ts';
import { compileMeasurements } from '../../src/features/measurements.ts';
import { newest } from '../../src/features/newest.ts';
import { createObservationIndex } from '../../src/features/observation-index.ts';
import { instantRange } from '../../src/fhir/instant-range.ts';
import { mgPerDl, observation, recordOf } from '../support/build-record.ts';

const pool: readonly Observation[] = [
  observation('2160-0', mgPerDl(1), '2026-01-02T08:00:00Z'),
  observation('2160-0', mgPerDl(2), '2026-01-02T08:00:00Z'),
  observation('2160-0', mgPerDl(3), '2026-01-02T08:00:00.500Z'),
  observation('2160-0', mgPerDl(4), '2026-01-02'),
  observation('2160-0', mgPerDl(5), '2026-01'),
  observation('2160-0', mgPerDl(6), '2025'),
  observation('2160-0', mgPerDl(7), '2025-12-31T23:00:00Z'),
  // Nothing was measured; then something that cannot be read.
  observation('2160-0', undefined, '2026-01-03T08:00:00Z'),
  observation('2160-0', undefined, '2026-01-02', { valueString: 'see the letter' }),
];

/** Each order of up to so many of them. */
function* orders(most: number, taken: readonly Observation[] = []): Generator<readonly Observation[]> {
  yield taken;
  if (taken.length === most) return;
  for (const each of pool) if (!taken.includes(each)) yield* orders(most, [...taken, each]);
}

it('the newest are the same whether older ones are read or not, lest the number depends on what was left unread', () => {
  const index = createObservationIndex();
  const definition = { label: 'Creatinine', codes: ['http://loinc.org|2160-0'], window: 'P10Y' };
  const compiled = (which: 'all' | 'newest') =>
    compileMeasurements(
      definition,
      index,
      ({ valueQuantity, valueString }) => valueQuantity ?? (valueString === undefined ? undefined : 'no-number'),
      which,
    );
  const [all, least] = [compiled('all'), compiled('newest')];
  const record = recordOf([]);
  const asOf = record.asOf.getTime();
  let spared = 0;
  for (const observations of orders(4)) {
    const context: ExtractionContext = {
      record,
      asOf,
      timeZone: 'UTC',
      rangeOf: (date) => (date === undefined ? undefined : instantRange(date, 'UTC')),
      since: () => asOf - 10 * 365 * 86_400_000,
      dayOf: (instant) => new Date(instant).toISOString().slice(0, 10),
      once: (_key, make) => make(),
      lastAttended: () => undefined,
      values: new Map(),
      outputs: new Map(),
      images: new Map(),
      observations: index.sort(observations),
    };
    const [everything, few] = [all(context).measured, least(context).measured];
    const chosen = [everything, few].map((measured) =>
      newest(measured)
        .map(({ observation: { id }, readings }) => `${id} ${JSON.stringify(readings)}`)
        .sort(),
    );
    if (JSON.stringify(chosen[0]) !== JSON.stringify(chosen[1]))
      expect(chosen[1], observations.map(({ id }) => id).join(', ')).toEqual(chosen[0]);
    if (few.length < everything.length) spared += 1;
  }
  // Else nothing was compared.
  expect(spared).toBeGreaterThan(100);
});
