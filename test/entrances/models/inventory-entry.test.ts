import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { inventoryEntry } from '../../../src/entrances/models/inventory-entry.ts';
import { governanceOf } from '../../../src/model-catalog/card/card-at-site.ts';
import { deviceCardMarkdown, renderCard } from '../../../src/model-catalog/card/render-card.ts';
import type { ModelVersion } from '../../../src/model-catalog/model-version.ts';
import { readModelFolder } from '../../../src/model-catalog/read-models.ts';
import { siteDay } from '../../../src/platform/site-day.ts';
import { shippedModels } from '../../support/model-folder.ts';

let kfre: ModelVersion;
beforeAll(async () => {
  kfre = await readModelFolder(path.join(shippedModels, 'kfre-4', '1.0.0'));
});

const entryOf = (changes: Partial<ModelVersion['card']>, today: string) =>
  inventoryEntry(
    { manifest: kfre.manifest, card: { ...kfre.card, ...changes } },
    { serverUrl: 'https://risk.example', today: () => today },
  );

test('the inventory says for what a version is, its status, what was measured, and where more is said', () => {
  expect(entryOf({}, '2026-11-28')).toEqual({
    intendedUse: kfre.card.intendedUse.purpose,
    owner: kfre.card.owner,
    regulatory: [{ status: 'none', statement: expect.stringContaining('Not a medical device') }],
    riskTier: { notAvailable: expect.any(String) },
    review: { notAvailable: expect.any(String) },
    performance: [
      expect.objectContaining({ value: 0.9, interval: [0.89, 0.92], level: 0.95, n: 721_357, setting: 'external' }),
      expect.objectContaining({ value: 0.88, interval: [0.86, 0.9], setting: 'external' }),
    ],
    links: {
      card: 'https://risk.example/models/kfre-4/versions/1.0.0/card',
      report: 'https://risk.example/models/kfre-4/versions/1.0.0',
    },
  });
});

test('a review is overdue from the day after it was due, by the day of the site', () => {
  const review = { last: '2026-01-10', next: '2026-11-28' };
  expect(entryOf({ review }, '2026-11-28').review).toEqual({ ...review, overdue: false });
  expect(entryOf({ review }, '2026-11-29').review).toEqual({ ...review, overdue: true });
  const evening = new Date('2026-11-28T23:30:00Z');
  expect([siteDay(evening, 'America/New_York'), siteDay(evening, 'Europe/Berlin')]).toEqual([
    '2026-11-28',
    '2026-11-29',
  ]);
});

test('the site file has the last word on owner, tier and reviews, for the version before the model', () => {
  const owner = { name: 'Board', contact: 'board@hospital.example' };
  const models = {
    'kfre-4': { owner, riskTier: { scheme: 'own', tier: 'C' } },
    'kfre-4@1.0.0': { riskTier: { scheme: 'own', tier: 'B' } },
  };
  const governance = governanceOf({ models }, { id: 'kfre-4', version: '1.0.0' });
  if (governance === undefined) throw new Error('the site file says nothing');
  const atSite = { ...kfre, governance };
  const entry = inventoryEntry(atSite, { serverUrl: '', today: () => '2026-11-28' });
  expect(entry).toMatchObject({ owner, riskTier: { tier: 'B' }, review: { notAvailable: expect.any(String) } });
  expect(renderCard(atSite, 'html', '2026-11-28')).toContain('Board, board@hospital.example');
  expect(governanceOf({ models }, { id: 'kfre-44', version: '1.0.0' })).toBeUndefined();
  expect(deviceCardMarkdown(atSite)).toBe(deviceCardMarkdown(kfre));
});

test('a demonstration is marked as one', () => {
  const manifest = { ...kfre.manifest, demonstration: true as const };
  const options = { serverUrl: 'https://risk.example', today: () => '2026-11-28' };
  expect(inventoryEntry({ manifest, card: kfre.card }, options)).toHaveProperty('demonstration', true);
  expect(inventoryEntry(kfre, options)).not.toHaveProperty('demonstration');
});
