import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { demonstrations } from '../support/demonstrations.ts';
import { shippedModel } from '../support/shipped-model.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(path.join(root, 'docs/demonstrations.md'), 'utf8');

test('docs/demonstrations.md names every demonstration model, and has the metrics of the cards', () => {
  for (const id of demonstrations) expect(page).toContain(`| \`${id}\` |`);
  expect(execFileSync(process.execPath, ['scripts/write-demonstrations.ts', '--check'], { cwd: root }).toString()).toBe(
    '',
  );
});

test('a demonstration says that it is one in its title, its cautions and its card', async () => {
  for (const { manifest, card } of await Promise.all(demonstrations.map((id) => shippedModel(id)))) {
    expect(manifest.demonstration).toBe(true);
    expect(manifest.title).toContain('demonstration, not for clinical use');
    expect(manifest.cautions.join(' ')).toContain('not for clinical use');
    expect(card.intendedUse.outOfScope).toContain('Every clinical use');
  }
});
