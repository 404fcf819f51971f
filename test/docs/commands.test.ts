import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import { parseCurl } from '../support/curl-command.ts';
import { blocksOf } from '../support/markdown-blocks.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

const documents = [
  'README.md',
  'docs/integrator.md',
  'docs/operator.md',
  'docs/cds-hooks.md',
  'docs/monitoring.md',
  'docs/model-card.md',
];
const documentedUrl = 'http://127.0.0.1:8080';
let now = new Date('2026-11-22T15:30:00Z');
/** Where the last request that was taken is asked after; documents show an id of their own. */
let statusUrl = '';

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ models: 'all', clock: { now: () => now }, settings: { CDS_DEADLINE_MS: '30000' } });
  await loadSamplePatients(server.house, { patients: 30, seed: 1, referenceDate: '2026-11-22' });
});
afterAll(() => server.close());

describe.each(documents)('%s', (document) => {
  const blocks = blocksOf(document);

  test('every command says the status it gives, and every answer follows a command', () => {
    for (const [index, { language, mark, line }] of blocks.entries()) {
      if (language === 'sh') expect(mark?.name, `${document}:${line}`).toBe('status');
      // One that is marked `check` is a file, and the test of its document reads it.
      if (language === 'json' && mark?.name !== 'check')
        expect([mark?.name, blocks[index - 1]?.language], `${document}:${line}`).toEqual(['answer', 'sh']);
    }
  });

  test.each(blocks.flatMap((block, index) => (block.language === 'sh' ? [{ ...block, index }] : [])))(
    'the command at line $line gives what the document says',
    async ({ text, mark, index, line }) => {
      const { url, ...request } = parseCurl(text.replace(`"${documentedUrl}/`, `"${server.url}/`));
      expect(url.startsWith(`${documentedUrl}/`), `${document}:${line} names ${documentedUrl}`).toBe(true);
      const place = url.includes('/_async/') ? statusUrl : url.replace(documentedUrl, server.url);
      let response = await fetch(place, request);
      while (response.status === 202 && request.method === 'GET') {
        now = new Date(now.getTime() + 1_000);
        response = await fetch(place, request);
      }
      statusUrl = response.headers.get('content-location') ?? statusUrl;
      const answer = await response.text();
      expect(String(response.status), `${document}:${line}: ${answer.slice(0, 500)}`).toBe(mark?.value);
      const next = blocks[index + 1];
      if (next?.mark?.name !== 'answer') return;
      expect(missingFrom(JSON.parse(answer), JSON.parse(next.text), '')).toEqual([]);
    },
  );
});

/** Places of `shown` that `actual` does not have. `…` stands for any text; an item of a shown array may be any of the actual one. */
function missingFrom(actual: unknown, shown: unknown, path: string): string[] {
  if (shown === '…') return typeof actual === 'string' ? [] : [path];
  if (Array.isArray(shown)) {
    const items: unknown[] = Array.isArray(actual) ? actual : [];
    return shown.flatMap((item, index) =>
      items.some((candidate) => missingFrom(candidate, item, '').length === 0) ? [] : [`${path}[${index}]`],
    );
  }
  if (typeof shown === 'object' && shown !== null) {
    const found = typeof actual === 'object' && actual !== null ? (actual as Record<string, unknown>) : {};
    return Object.entries(shown).flatMap(([key, value]) => missingFrom(found[key], value, `${path}.${key}`));
  }
  if (typeof shown === 'number' && typeof actual === 'number') return Math.abs(actual - shown) <= 1e-9 ? [] : [path];
  return actual === shown ? [] : [path];
}
