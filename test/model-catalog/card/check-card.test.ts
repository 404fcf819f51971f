import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkCard } from '../../../src/model-catalog/card/check-card.ts';
import type { FeatureMap } from '../../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../../src/model-catalog/manifest-schema.ts';
import type { ModelCard } from '../../../src/model-catalog/model-card-schema.ts';
import { shippedModels } from '../../support/model-folder.ts';

const shipped = <T>(file: string): T =>
  JSON.parse(readFileSync(path.join(shippedModels, 'pce-2013/1.0.0', file), 'utf8'));
const manifest = shipped<Manifest>('manifest.json');
const map = shipped<FeatureMap>('feature-map.json');
const card = shipped<ModelCard>('model-card.json');
const [published] = card.performance;
if (published === undefined) throw new Error('the card of pce-2013 restates no measure');
const { doi: _, ...unpublished } = published;

const faultsOf = (changes: Partial<ModelCard>): string[] =>
  checkCard({ ...card, ...changes }, manifest, map).map(({ path: place, message }) => `${place}: ${message}`);

test('a card as it is shipped fits its model', () => {
  expect(faultsOf({})).toEqual([]);
});

test.each<[string, Partial<ModelCard>, string]>([
  [
    'a measure of an outcome that the model does not have',
    { performance: [{ ...published, outcome: 'ascvd-20y' }] },
    '/performance/0/outcome: ascvd-20y is no outcome of the manifest',
  ],
  [
    'a misspelt code of a measure',
    { performance: [{ ...published, measure: 'aurocc' }] },
    '/performance/0/measure: aurocc is no code of a measure',
  ],
  [
    'an interval beside its value',
    { performance: [{ ...published, value: 0.9 }] },
    '/performance/0/interval: 0.7 to 0.75 does not hold the value 0.9',
  ],
  [
    'an interval that ends before it starts',
    { performance: [{ ...published, interval: { low: 0.75, high: 0.7, level: 0.95, method: 'as published' } }] },
    '/performance/0/interval: ends at 0.7, before it starts at 0.75',
  ],
  [
    'more events than people',
    { performance: [{ ...published, n: 10, events: 11 }] },
    '/performance/0/events: 11 are more than n, 10',
  ],
  [
    'a measure that nobody published, without interval, number of people and setting',
    {
      performance: [
        {
          ...unpublished,
          value: 0.72,
          interval: undefined,
          n: undefined,
          setting: undefined,
        } as unknown as (typeof card.performance)[number],
      ],
    },
    '/performance/0: is not published (no doi) and needs interval, n, setting',
  ],
  [
    'a clearance that nobody can look up',
    { regulatory: [{ status: 'cleared', jurisdiction: 'US', authority: 'FDA', statement: 'Cleared.' }] },
    '/regulatory/0: cleared needs identifier, date; without them the status is none',
  ],
  [
    'a claim to be no device, under nobody’s rules',
    { regulatory: [{ status: 'not-a-device', statement: 'No device.' }] },
    '/regulatory/0: not-a-device needs jurisdiction, authority; without them the status is none',
  ],
  [
    'a demographic input that it does not call sensitive',
    { fairness: { ...card.fairness, sensitiveInputs: ['age', 'sex'] } },
    '/fairness/sensitiveInputs: does not name race, which the record has of the person',
  ],
  [
    'a next review before the last one',
    { review: { last: '2026-06-01', next: '2026-05-01' } },
    '/review: the next one, 2026-05-01, is not after the last one, 2026-06-01',
  ],
  [
    'a day that is none',
    { review: { last: '2026-02-30', next: '2026-05-01' } },
    '/review: 2026-02-30 is no day of the calendar',
  ],
])('%s is refused', (_name, changes, fault) => {
  expect(faultsOf(changes)).toEqual([expect.stringContaining(fault)]);
});
