import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockDataDir, readLock } from '../../src/platform/data-dir-lock.ts';

const holderScript = path.join(import.meta.dirname, '../support/lock-holder.ts');
const clock = { now: () => new Date('2026-03-01T10:00:00Z') };

interface HolderAnswer {
  readonly child: ChildProcess;
  readonly held: boolean;
  readonly code?: string;
  readonly message?: string;
}

describe('the lock of a data directory', () => {
  let dataDir: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    dataDir = path.join(mkdtempSync(path.join(tmpdir(), 'fhirsight-lock-')), 'data');
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    rmSync(path.dirname(dataDir), { recursive: true, force: true });
  });

  async function startHolder(url?: string): Promise<HolderAnswer> {
    const child = spawn(process.execPath, [holderScript, dataDir, ...(url === undefined ? [] : [url])], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    return { child, ...JSON.parse(String(line)) };
  }

  test('a folder that cannot be made is refused, also where the parent takes none', async () => {
    for (const place of ['/proc/fhirsight/data', path.join(path.dirname(dataDir), 'file', 'data')]) {
      writeFileSync(path.join(path.dirname(dataDir), 'file'), '');
      await expect(lockDataDir(place, {}, clock)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
  });

  test('names the holder, its start and its URL to a second process', async () => {
    const { child } = await startHolder('http://127.0.0.1:8080');
    const refused = await lockDataDir(dataDir).catch((error) => error);
    expect(refused).toMatchObject({ code: 'DATA_DIR_LOCKED' });
    expect(refused.message).toMatch(
      new RegExp(`process ${child.pid} on ${hostname()}, started at \\d{4}-.*http://127.0.0.1:8080`),
    );
    expect(await readLock(dataDir)).toMatchObject({ pid: child.pid, url: 'http://127.0.0.1:8080' });
  });

  test('is refused to the same process, too', async () => {
    const lock = await lockDataDir(dataDir);
    await expect(lockDataDir(dataDir)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
    await lock.release();
  });

  test('is free again once released, and releasing may be repeated', async () => {
    const lock = await lockDataDir(dataDir, {}, clock);
    await lock.update({ url: 'http://127.0.0.1:1' });
    expect(await readLock(dataDir)).toEqual({
      pid: process.pid,
      host: hostname(),
      startedAt: '2026-03-01T10:00:00.000Z',
      url: 'http://127.0.0.1:1',
    });
    await lock.release();
    await lock.release();
    await lock.update({ url: 'http://127.0.0.1:2' });
    expect(await readLock(dataDir)).toBeUndefined();
    const next = await lockDataDir(dataDir);
    expect(next.abandonedBy).toBeUndefined();
    await next.release();
  });

  test('of a killed process is taken over, and the new holder learns whose it was', async () => {
    const { child } = await startHolder('http://127.0.0.1:8080');
    await kill(child);
    expect(await readLock(dataDir)).toBeUndefined();
    const lock = await lockDataDir(dataDir);
    expect(lock.abandonedBy).toMatchObject({ pid: child.pid });
    await lock.release();
  });

  test('does not depend on the pid, which a living process may have been given since', async () => {
    mkdirSync(dataDir, { recursive: true });
    const left = { pid: process.pid, host: hostname(), startedAt: '2020-01-01T00:00:00.000Z' };
    writeFileSync(path.join(dataDir, 'server.lock'), JSON.stringify(left));
    const lock = await lockDataDir(dataDir);
    expect(lock.abandonedBy).toEqual(left);
    await lock.release();
  });

  test('does not depend on what a torn or foreign server.lock says', async () => {
    mkdirSync(dataDir, { recursive: true });
    for (const text of ['', '{"pid":', 'null', '{"pid":"x"}']) {
      writeFileSync(path.join(dataDir, 'server.lock'), text);
      const lock = await lockDataDir(dataDir);
      expect(lock.abandonedBy).toBeUndefined();
      await lock.release();
    }
  });

  test('goes to exactly one of several processes that start at the same moment, also over a killed one', async () => {
    await kill((await startHolder()).child);
    const answers = await Promise.all(Array.from({ length: 4 }, () => startHolder()));
    expect(answers.filter(({ held }) => held)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'DATA_DIR_LOCKED')).toHaveLength(3);
  });

  test('lies in files that only this user may read, in a folder that only this user may enter', async () => {
    const lock = await lockDataDir(dataDir);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(dataDir, 'server.lock')).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(dataDir, 'server.lock.held')).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path.join(dataDir, 'server.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  test('cannot lie in a file: CONFIG_INVALID names DATA_DIR', async () => {
    writeFileSync(dataDir, 'a file');
    await expect(lockDataDir(dataDir)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('DATA_DIR'),
    });
  });

  test("is nobody's where the data directory does not exist, and looking does not create it", async () => {
    expect(await readLock(dataDir)).toBeUndefined();
    expect(() => statSync(dataDir)).toThrow('ENOENT');
  });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
