import { readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { renderCard, sourceAttributesJson } from '../../../src/model-catalog/card/render-card.ts';
import { sourceAttributes } from '../../../src/model-catalog/card/source-attributes.ts';
import type { ModelVersion } from '../../../src/model-catalog/model-version.ts';
import { readModelFolder } from '../../../src/model-catalog/read-models.ts';
import { shippedModels } from '../../support/model-folder.ts';

const today = '2026-11-28';
const folders = readdirSync(shippedModels).flatMap((id) =>
  readdirSync(path.join(shippedModels, id)).map((version) => path.join(shippedModels, id, version)),
);
let kfre: ModelVersion;
beforeAll(async () => {
  kfre = await readModelFolder(path.join(shippedModels, 'kfre-4', '1.0.0'));
});

const withCard = (changes: Partial<ModelVersion['card']>): ModelVersion => ({
  ...kfre,
  card: { ...kfre.card, ...changes },
});
const saidBy = (version: ModelVersion, key: string): string | undefined =>
  sourceAttributes(version).find((attribute) => attribute.key === key)?.value;

describe('DSI-40 every shipped card gives the 31 source attributes', () => {
  test.each(folders)('%s', async (folder) => {
    const version = await readModelFolder(folder);
    const { rule, sourceAttributes: attributes } = sourceAttributesJson(version);
    expect(rule).toBe('45 CFR 170.315(b)(11)(iv)(B)');
    expect(Object.keys(attributes)).toEqual(Array.from({ length: 31 }, (_, index) => `DSI-${index + 1}`));
    for (const attribute of Object.values(attributes)) {
      expect(attribute).toMatchObject({ name: expect.stringMatching(/\S/), value: expect.stringMatching(/\S/) });
      expect(JSON.stringify(attribute)).not.toContain('[object Object]');
    }
    for (const format of ['html', 'markdown'] as const) {
      const text = renderCard(version, format, today);
      expect(text).toContain('DSI-31');
      expect(text).not.toMatch(/undefined|\[object Object\]/);
    }
  });
});

describe('an attribute', () => {
  test('DSI-1 DSI-5 to DSI-9 is what the card says', () => {
    expect(saidBy(kfre, 'DSI-1')).toContain('Tangri and others (2011)');
    expect(saidBy(kfre, 'DSI-5')).toBe(kfre.card.intendedUse.purpose);
    expect(saidBy(kfre, 'DSI-6')).toBe(kfre.card.intendedUse.population);
    expect(saidBy(kfre, 'DSI-7')).toBe(kfre.card.intendedUse.users);
    expect(saidBy(kfre, 'DSI-8')).toMatch(/^informs clinical management/);
    expect(saidBy(kfre, 'DSI-9')).toBe(kfre.card.intendedUse.outOfScope.join('\n'));
  });

  test('DSI-12 names the sensitive inputs, and says where there are none', () => {
    expect(saidBy(kfre, 'DSI-12')).toMatch(/^age: .*\nsex: /);
    expect(saidBy(withCard({ fairness: { sensitiveInputs: [], statement: '-' } }), 'DSI-12')).toBe(
      'None of them is an input.',
    );
  });

  test('DSI-21 to DSI-24 DSI-27 DSI-29 puts each measure where it was taken, and those of groups under fairness too', () => {
    const measure = { measure: 'auroc', interval: { low: 0.7, high: 0.9, level: 0.95, method: 'bootstrap' }, n: 100 };
    const version = withCard({
      performance: [
        { ...measure, value: 0.81, population: 'a', setting: 'cross-validation' },
        { ...measure, value: 0.82, population: 'b', setting: 'internal-test', group: 'women' },
        { ...measure, value: 0.83, population: 'c', setting: 'external' },
        { ...measure, value: 0.84, population: 'd', setting: 'local', group: 'men' },
      ],
    });
    const values = (key: string): string[] => saidBy(version, key)?.match(/0\.8\d(?= )/g) ?? [];
    expect(values('DSI-21')).toEqual(['0.81', '0.82']);
    expect(values('DSI-22')).toEqual(['0.82']);
    expect(values('DSI-23')).toEqual(['0.83']);
    expect(values('DSI-24')).toEqual([]);
    expect(values('DSI-27')).toEqual(['0.84']);
    expect(values('DSI-29')).toEqual(['0.84']);
    expect(saidBy(version, 'DSI-21')?.split('\n')[0]).toBe(
      'Area under the ROC curve: 0.81 (95 % interval 0.7 to 0.9, bootstrap); a; n 100; cross-validation of the training data',
    );
  });

  test('says that it is not available, and why where the card says so', () => {
    const version = withCard({ funding: { notAvailable: 'Nobody was asked.' }, effectOnOutcomes: undefined } as never);
    const { sourceAttributes: attributes } = sourceAttributesJson(version);
    expect(attributes['DSI-2']).toMatchObject({
      available: false,
      value: 'not available',
      because: 'Nobody was asked.',
    });
    expect(attributes['DSI-25']).toMatchObject({ available: false, value: 'not available' });
    expect(renderCard(version, 'html', today)).toContain('not available: Nobody was asked.');
  });
});

describe('a page', () => {
  test('says what the status rests on, who owns the model, and that a review is overdue', () => {
    const version = withCard({
      owner: { name: 'Clinical decision support board', contact: 'cds-board@hospital.example' },
      riskTier: { scheme: 'own scheme of 2026', tier: 'B' },
      review: { last: '2026-01-10', next: '2026-11-27' },
      regulatory: [
        {
          status: 'cleared',
          jurisdiction: 'US',
          authority: 'FDA',
          identifier: 'K000000',
          date: '2026-01-02',
          statement: 'For adults.',
        },
      ],
    });
    const page = renderCard(version, 'html', today);
    expect(page).toContain('Medical device, cleared (FDA, US, K000000, 2026-01-02). For adults.');
    expect(page).toContain('Clinical decision support board, cds-board@hospital.example');
    expect(page).toContain('B (own scheme of 2026)');
    expect(page).toContain('last 2026-01-10, next 2026-11-27 (overdue)');
    expect(renderCard(version, 'html', '2026-11-27')).not.toContain('overdue');
  });

  test('of a demonstration says so before anything else', () => {
    const version = { ...kfre, manifest: { ...kfre.manifest, demonstration: true as const } };
    expect(renderCard(version, 'html', today)).toContain(
      '<p class="lead">A demonstration model: not for clinical use.</p>',
    );
    expect(renderCard(version, 'markdown', today)).toContain('**A demonstration model: not for clinical use.**');
  });

  test('shows hostile text as text, in HTML and in Markdown', () => {
    const hostile = '</td><script>alert(1)</script> "x" & [y](javascript:z) | `w`\n# head';
    const version = withCard({
      name: hostile,
      limitations: [hostile],
      funding: hostile,
      intendedUse: { ...kfre.card.intendedUse, purpose: hostile, outOfScope: [hostile] },
      performance: [{ measure: hostile, value: hostile, population: hostile, doi: '10.1000/x' }],
      sources: [{ citation: hostile }],
    });
    const titled = { ...version, manifest: { ...version.manifest, title: hostile, cautions: [hostile] } };
    const page = renderCard(titled, 'html', today);
    expect(page).not.toMatch(/<script|<\/td><script|<img|onerror=/);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &quot;x&quot; &amp; [y](javascript:z)');
    const markdown = renderCard(titled, 'markdown', today);
    expect(markdown).not.toMatch(/<(?!br>)|\[y\]\(|^# head/m);
  });

  test('is whole by itself: it loads nothing, runs nothing, and each place that it links to is there', () => {
    const page = renderCard(kfre, 'html', today);
    expect(page).not.toMatch(/<script|<link|src=|@import|url\(|\son[a-z]+=/);
    const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((id) => !ids.has(id))).toEqual([]);
    expect(page).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
    expect(page.match(/<h1>/g)).toHaveLength(1);
  });
});
