import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import { readSchedules } from '../../src/runs/schedules/read-schedules.ts';
import { imagingStudy } from '../support/build-imaging-study.ts';
import { parseCurl } from '../support/curl-command.ts';
import { blocksOf } from '../support/markdown-blocks.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { ended } from '../support/test-runs.ts';

const blocks = blocksOf('docs/runs.md');

let server: StartedFhirsight;
beforeAll(async () => {
  const models = ['prevent-base', 'chest-phantom'];
  server = await startFhirsight({ models, clock: { now: () => new Date('2026-11-22T15:30:00Z') } });
  await loadSamplePatients(server.house, { patients: 30, seed: 1, referenceDate: '2026-11-22' });
  const subject = { reference: 'Patient/sample-0001' };
  await server.house.repository.writeAll([imagingStudy({ id: 'study-1', subject })]);
});
afterAll(() => server.close());

describe('docs/runs.md', () => {
  test('its commands work in their order, and give what it says', async () => {
    let runId = 'RUN_ID';
    for (const [index, { language, text, mark }] of blocks.entries()) {
      if (language !== 'sh') continue;
      const { url, ...request } = parseCurl(text.replace('RUN_ID', runId));
      const response = await fetch(url.replace('http://127.0.0.1:8080', server.url), request);
      const answer = await response.text();
      expect(String(response.status), `${text}: ${answer.slice(0, 300)}`).toBe(mark?.value);
      if (response.status === 202) {
        runId = JSON.parse(answer).id;
        await ended(server.house.runs, runId);
      }
      const next = blocks[index + 1];
      if (next?.mark?.name !== 'answer') continue;
      const shown = JSON.parse(next.text.replaceAll('"…"', 'null'), (_, value) => value ?? expect.any(String));
      expect(JSON.parse(answer)).toMatchObject(shown);
    }
    expect(runId).not.toBe('RUN_ID');
  });

  test('its example of a schedule is one', async () => {
    const [example] = blocks.filter(({ language }) => language === 'jsonc');
    const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-docs-'));
    const file = path.join(folder, 'schedules.json');
    await writeFile(file, (example?.text ?? '').replace(/\s+\/\/.*$/gm, ''));
    const checks = { checkModel: () => undefined, checkFit: () => undefined, checkSearch: async () => undefined };
    expect(await readSchedules(file, checks)).toMatchObject([
      { name: 'nightly', missed: 'once' },
      { name: 'studies-of-the-day', cohort: { search: 'ImagingStudy?modality=CR,DX', since: 'P1D' } },
    ]);
    await rm(folder, { recursive: true });
  });
});
