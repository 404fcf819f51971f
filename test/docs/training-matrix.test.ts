import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import { makeMatrix } from '../support/make-matrix.ts';
import { blocksOf } from '../support/markdown-blocks.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

const document = 'docs/training-matrix.md';
const blocks = blocksOf(document);

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ clock: { now: () => new Date('2026-11-23T15:30:00Z') } });
  await loadSamplePatients(server.house, { patients: 30, seed: 1, referenceDate: '2026-11-22' });
});
afterAll(() => server.close());

/** The options of a command of the document, without `--out`. */
function argsOf(command: string): string[] {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain);
  expect(words.slice(0, 3)).toEqual(['npx', 'fhirsight', 'extract']);
  const out = words.indexOf('--out');
  expect(words[out + 1]).toMatch(/\.(csv|parquet)$/);
  return [...words.slice(3, out), ...words.slice(out + 2)];
}

describe(document, () => {
  const commands = blocks.filter(({ language }) => language === 'sh');

  test('every command works', async () => {
    expect(commands.map(({ mark }) => mark?.name)).toEqual(commands.map(() => 'extract'));
    for (const { text } of commands) {
      const { rows, tally } = await makeMatrix(server.house, argsOf(text));
      expect(rows.length, text).toBeGreaterThan(10);
      expect(tally.failed, text).toBe(0);
    }
  });

  test('its first one gives the row and the summary that are shown', async () => {
    const { rows, tally } = await makeMatrix(server.house, argsOf(commands[0]?.text ?? ''));
    const shown = (name: string): string => blocks.find(({ mark }) => mark?.name === name)?.text ?? '';
    expect(rows[0]).toMatchObject(JSON.parse(shown('row')));
    const lines = shown('summary').split('\n');
    const patterns = lines.map((line) =>
      line
        .split('…')
        .map((part) => RegExp.escape(part))
        .join('[^]*'),
    );
    expect(tally.text().trimEnd()).toMatch(new RegExp(`^${patterns.join('\n')}$`));
  });
});
