import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { createRunProgress, progressLine } from '../../src/cli/run-progress.ts';
import { lockDataDir } from '../../src/platform/data-dir-lock.ts';
import { fillDataDir } from '../support/embedded-data-dir.ts';
import { runFhirsight, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { someModels } from '../support/some-models.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

function newDataDir(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-run-'));
  folders.push(folder);
  return folder;
}

const few = await someModels(['prevent-base']);
const asOf = ['--as-of', '2026-11-20'];

describe('fhirsight run', () => {
  it('works on its own data and through the server that holds them, with the same result', async () => {
    const env = { DATA_DIR: newDataDir(), MODELS_DIR: few };
    await fillDataDir(env.DATA_DIR);
    expect(
      await runFhirsight(['sample', '--patients', '8', '--reference-date', '2026-11-20', '--load'], env),
    ).toMatchObject({ code: 0 });
    const alone = await runFhirsight(['run', '--model', 'prevent-base', '--all', ...asOf], env);
    expect(alone.code, alone.stderr).toBe(0);
    const report = JSON.parse(alone.stdout);
    expect(report).toMatchObject({ state: 'finished', members: 8, tally: { pending: 0 }, requester: 'fhirsight run' });
    expect(alone.stderr).toContain('8 of 8 members');

    const server = await startFhirsightProcess(env);
    onTestFinished(() => void server.child.kill('SIGKILL'));
    const there = await runFhirsight(['run', '--model', 'prevent-base', '--all', '--no-write-back', ...asOf], env);
    expect(there.code, there.stderr).toBe(0);
    const { tally } = JSON.parse(there.stdout);
    expect({ ...tally, written: 0 }).toEqual({ ...report.tally, written: 0 });
    expect(tally.written).toBe(0);
    const listed = (await (await fetch(`${server.url}/runs`)).json()) as { runs: unknown[] };
    expect(listed.runs).toHaveLength(2);

    const unknown = await runFhirsight(['run', '--model', 'prevent-base', '--group', 'Group/none'], env);
    expect(unknown).toMatchObject({ code: 1, signal: null });
    expect(JSON.parse(unknown.stdout)).toMatchObject({ resourceType: 'OperationOutcome' });
    const studies = ['--search', 'ImagingStudy?modality=CR', '--since', 'P1D'];
    const unfit = await runFhirsight(['run', '--model', 'prevent-base', ...studies], env);
    expect(unfit).toMatchObject({ code: 1, signal: null });
    expect(unfit.stdout).toContain('prevent-base makes no reports on imaging studies');
    await server.stop('SIGTERM');
  }, 120_000);

  it.each([
    [['run'], '--model'],
    [['run', '--model', 'prevent-base'], '--all'],
    [['run', '--model', 'prevent-base', '--all', '--group', 'Group/1'], 'one of --all, --group and --search'],
    [['run', '--model', 'prevent-base', '--everybody'], '--everybody'],
    [['run', '--model', 'prevent-base', '--all', '--since', 'P1D'], 'cohort.since: is for a search on ImagingStudy'],
    [['run', '--model', 'prevent-base', '--all', '--as-of', 'yesterday'], 'asOf: must be a date'],
  ])('%j is refused with exit code 2', async (args, says) => {
    const { code, stdout, stderr } = await runFhirsight(args, { DATA_DIR: newDataDir() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
  });

  it('asks again with the same key where the answer was lost, so that there is one run and not two', async () => {
    const keys: unknown[] = [];
    const server = createServer((request, response) => {
      const finished = { id: '1', state: 'finished', members: 0, tally: { scored: 0, abstained: 0, failed: 0 } };
      if (request.method === 'POST' && keys.push(request.headers['idempotency-key']) === 1) {
        request.socket.destroy();
        return;
      }
      response.statusCode = 200;
      response.end(JSON.stringify(finished));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const dataDir = newDataDir();
    const lock = await lockDataDir(dataDir, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const args = ['run', '--model', 'prevent-base', '--all'];
    const first = await runFhirsight(args, { DATA_DIR: dataDir });
    expect(first.code, first.stderr).toBe(0);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatch(/^fhirsight-run-[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
    await runFhirsight(args, { DATA_DIR: dataDir });
    expect(keys[2]).not.toBe(keys[0]);
    await lock.release();
  });

  it('exits 1 for a model that is not served', async () => {
    const dataDir = newDataDir();
    await fillDataDir(dataDir);
    const { code, stderr } = await runFhirsight(['run', '--model', 'none', '--all'], {
      DATA_DIR: dataDir,
      MODELS_DIR: few,
    });
    expect(code).toBe(1);
    expect(stderr).toContain('MODEL_UNKNOWN: There is no model none');
  });
});

describe('fhirsight serve', () => {
  it('does not start with a schedule that cannot be parsed, and says what is allowed', async () => {
    const folder = newDataDir();
    await fillDataDir(folder);
    const file = path.join(folder, 'schedules.json');
    const schedule = {
      name: 'n',
      cron: 'nightly',
      timeZone: 'UTC',
      model: 'prevent-base',
      cohort: { all: true },
      missed: 'skip',
    };
    writeFileSync(file, JSON.stringify({ schedules: [schedule] }));
    const ended = await runFhirsight(['serve'], { DATA_DIR: folder, MODELS_DIR: few, SCHEDULES_FILE: file });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain(`SCHEDULES_FILE ${file}: schedules[0].cron is "nightly"`);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
  });
});

describe('the progress of a run', () => {
  const tally = { scored: 300, abstained: 100, failed: 20 };
  const run = { id: '1', state: 'running', members: 1_000, tally, membersPerSecond: 42.4, remainingSeconds: 13.2 };

  it('is a bar with how many, how fast and how long', () => {
    expect(progressLine(run)).toBe('[############..................] 420 of 1000 members, 42/s, 14 s left (running)');
    expect(progressLine({ id: '1', state: 'expanding', tally: { scored: 0, abstained: 0, failed: 0 } })).toBe(
      'reading the cohort (expanding)',
    );
    expect(progressLine({ ...run, members: 0, tally: { scored: 0, abstained: 0, failed: 0 } })).toContain('0 of 0');
  });

  it('is drawn over itself on a terminal, and a line for each tenth elsewhere', () => {
    const written: string[] = [];
    const terminal = createRunProgress({ isTTY: true, write: (text) => written.push(text) });
    terminal.show(run);
    terminal.show(run);
    terminal.end();
    expect(written.map((text) => text[0])).toEqual(['\r', '\r', '\n']);
    written.length = 0;
    const plain = createRunProgress({ write: (text) => written.push(text) });
    for (const scored of [300, 301, 400]) plain.show({ ...run, tally: { ...tally, scored } });
    expect(written).toHaveLength(2);
  });
});
