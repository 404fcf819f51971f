import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Bundle, OperationOutcome, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillDataDir } from '../support/embedded-data-dir.ts';
import { type FhirsightProcess, root, runFhirsight, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { someModels } from '../support/some-models.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

function newDataDir(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-cli-'));
  folders.push(folder);
  return folder;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function countOf(server: FhirsightProcess, query: string): Promise<number | undefined> {
  return ((await (await fetch(`${server.fhir}/${query}`)).json()) as Bundle).total;
}

describe('fhirsight help', () => {
  it.each([[[]], [['help']], [['--help']], [['-h']]])(
    '%j prints the commands and their options, and exits 0',
    async (args) => {
      const { code, stdout, stderr } = await runFhirsight(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const word of ['serve', 'sample', 'predict', '--patients', '--load', '--model', '--as-of', '--write-back']) {
        expect(stdout).toContain(word);
      }
    },
  );

  it('is what an unknown command gets, with exit code 2', async () => {
    for (const name of ['prdict', 'constructor', '__proto__', '--version-of-something']) {
      const { code, stdout, stderr } = await runFhirsight([name]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`fhirsight has no command '${name}'`);
      expect(stderr).toContain('fhirsight <command>');
    }
  });
});

describe('fhirsight sample', () => {
  const wanted = ['--patients', '3', '--seed', '7', '--reference-date', '2026-03-01'];

  it('writes NDJSON, the same for the same seed and day', async () => {
    const [first, second, other] = await Promise.all([
      runFhirsight(['sample', ...wanted]),
      runFhirsight(['sample', ...wanted]),
      runFhirsight(['sample', '--patients', '3', '--seed', '8', '--reference-date', '2026-03-01']),
    ]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(digest(second.stdout)).toBe(digest(first.stdout));
    expect(digest(other.stdout)).not.toBe(digest(first.stdout));
    const resources = first.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(resources.filter(({ resourceType }) => resourceType === 'Patient').map(({ id }) => id)).toEqual([
      'sample-0001',
      'sample-0002',
      'sample-0003',
    ]);
    expect(resources.every(({ meta }) => JSON.stringify(meta).includes('HTEST'))).toBe(true);
  });

  it('writes as many patients as asked for', async () => {
    const { code, stdout } = await runFhirsight(['sample', '--patients', '1000']);
    expect(code).toBe(0);
    expect(stdout.match(/^\{"resourceType":"Patient"/gm)).toHaveLength(1000);
  });

  it('ends quietly when the reader has had enough', async () => {
    const command = `"${process.execPath}" "${path.join(root, 'src/main.ts')}" sample --patients 2000 | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', command]);
    const [line = '', code] = stdout.trimEnd().split('\n');
    expect(JSON.parse(line)).toMatchObject({ resourceType: 'Patient', id: 'sample-0001' });
    expect({ code, stderr }).toEqual({ code: '0', stderr: '' });
  });

  it.each([
    [['--patients', 'many'], "--patients is a whole number, not 'many'"],
    [['--patients', '-1'], "'--patients'"],
    [['--patients', '1.5'], "--patients is a whole number, not '1.5'"],
    [['--patients', '99999999999'], '99999999999'],
    [['--patients'], "'--patients <value>'"],
    [['--seed', ''], '--seed is a whole number'],
    [['--reference-date', '2026-02-30'], "--reference-date is a date such as 2026-03-01, not '2026-02-30'"],
    [['--reference-date', 'today'], "--reference-date is a date such as 2026-03-01, not 'today'"],
    [['--patient', '1'], "'--patient'"],
    [['10'], "'10'"],
  ])('refuses %j with exit code 2, what is wrong and the usage', async (args, message) => {
    const { code, stdout, stderr } = await runFhirsight(['sample', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('fhirsight <command>');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

const modelsDir = await someModels(['prevent-base']);

describe('fhirsight sample --load and fhirsight predict', () => {
  const load = ['sample', '--load', '--patients', '3', '--reference-date', '2026-03-01'];
  const ask = ['predict', '--model', 'prevent-base', '--patient', 'sample-0001', '--as-of', '2026-03-01'];
  const env = { DATA_DIR: newDataDir(), MODELS_DIR: modelsDir };
  let alone: RiskAssessment;
  beforeAll(() => fillDataDir(env.DATA_DIR));

  it('without a server open the data themselves, and again give the same', async () => {
    const loaded = await runFhirsight(load, env);
    expect(loaded).toMatchObject({ code: 0, stdout: '' });
    expect(loaded.stderr).toMatch(/3 synthetic patients loaded.*Not for clinical use/);
    const again = await runFhirsight(load, env);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain('(0 new');

    const predicted = await runFhirsight(ask, env);
    expect(predicted).toMatchObject({ code: 0, stderr: '' });
    alone = JSON.parse(predicted.stdout);
    expect(alone.prediction).toHaveLength(10);
    expect(existsSync(path.join(env.DATA_DIR, 'server.lock'))).toBe(false);
  }, 150_000);

  describe('with a server running', () => {
    let server: FhirsightProcess;
    beforeAll(async () => {
      server = await startFhirsightProcess(env);
    });
    afterAll(async () => {
      expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    });

    it('predict gives the same RiskAssessment but for the time it was computed', async () => {
      const { code, stdout, stderr } = await runFhirsight(ask, env);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const asked = JSON.parse(stdout) as RiskAssessment;
      expect(asked.occurrenceDateTime).not.toBe(alone.occurrenceDateTime);
      expect(withoutTime(asked)).toEqual(withoutTime(alone));
    });

    it('predict --write-back stores the result there', async () => {
      const { stdout } = await runFhirsight([...ask, '--write-back'], env);
      const { id } = JSON.parse(stdout) as RiskAssessment;
      expect((await fetch(`${server.fhir}/RiskAssessment/${id}`)).status).toBe(200);
    });

    it('sample --load loads into it', async () => {
      const loaded = await runFhirsight(['sample', '--load', '--patients', '5', '--reference-date', '2026-03-01'], env);
      expect(loaded).toMatchObject({ code: 0, stdout: '' });
      expect(loaded.stderr).toContain('5 synthetic patients loaded');
      expect(await countOf(server, 'Patient?_summary=count')).toBe(5);
    });

    it('predict prints the OperationOutcome of a refusal and exits 1', async () => {
      const { code, stdout, stderr } = await runFhirsight(
        ['predict', '--model', 'none', '--patient', 'sample-0001'],
        env,
      );
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'not-found' }] });
    });
  });

  it('predict without a server prints the OperationOutcome of a refusal or an abstention and exits 1', async () => {
    const unknown = await runFhirsight(['predict', '--model', 'prevent-base', '--patient', 'nobody'], env);
    expect(unknown).toMatchObject({ code: 1 });
    expect(JSON.parse(unknown.stdout)).toMatchObject({ issue: [{ code: 'not-found' }] });
    const abstained = await runFhirsight([...ask.slice(0, -1), '1990-01-01'], env);
    expect(abstained.code).toBe(1);
    const outcome = JSON.parse(abstained.stdout) as OperationOutcome;
    expect(outcome.issue[0]).toMatchObject({ severity: 'error', code: 'business-rule' });
  });

  it.each([
    [['predict'], 'predict needs --model and --patient'],
    [['predict', '--model', 'prevent-base'], 'predict needs --model and --patient'],
    [['predict', '--model', 'a', '--patient', 'b', '--asof', '2026'], "'--asof'"],
  ])('refuses %j with exit code 2 and the usage', async (args, message) => {
    const { code, stdout, stderr } = await runFhirsight(args, env);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('fhirsight <command>');
  });
});

/** What depends on the moment of computing: when, and the words that say so. */
/** The link to the card begins with the address of whoever made the result: here a port that was free, or none. */
function withoutTime({ occurrenceDateTime: _, text: __, extension = [], ...rest }: RiskAssessment): object {
  return { ...rest, extension: extension.filter(({ url }) => !url.endsWith('/model-card')) };
}
