import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, systemClock } from './clock.ts';
import { databaseErrorCode, storageFull } from './database-error.ts';
import { PredictionError } from './errors.ts';
import { makeFolder } from './make-folder.ts';

/** Who holds a data directory, as `server.lock` says. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** When the holder took the lock, ISO 8601. */
  readonly startedAt: string;
  /** Where the holder serves, once it does. */
  readonly url?: string;
}

export interface DataDirLock {
  /** Left by a process that ended without releasing: killed, or the machine stopped. */
  readonly abandonedBy?: LockHolder;
  /** Writes what has become known since, so that commands find the server. */
  update(info: { readonly url?: string }): Promise<void>;
  release(): Promise<void>;
}

const attempts = 10;
const attemptEveryMs = 50;
const sqliteBusy = 5;

/**
 * Takes the data directory for this process alone; two servers on one embedded database would lose each other's writes.
 *
 * The lock itself is one of the operating system, held on the empty file `server.lock.held` through SQLite: it is
 * atomic, ends with the process however that ends, and holds between containers that share a volume, where a pid means
 * nothing. `server.lock` beside it only says who holds it. Throws DATA_DIR_LOCKED, which names the holder.
 */
export async function lockDataDir(
  dataDir: string,
  info: { readonly url?: string } = {},
  clock: Clock = systemClock,
): Promise<DataDirLock> {
  try {
    await makeFolder(dataDir);
    const held = await hold(dataDir, attempts);
    if (held === undefined) throw lockedError(dataDir, await readHolder(dataDir));
    return await describeLock(dataDir, held, info, clock.now());
  } catch (error) {
    if (error instanceof PredictionError) throw error;
    if (databaseErrorCode(error) === 'ENOSPC') throw storageFull(error);
    throw new PredictionError(
      'CONFIG_INVALID',
      `DATA_DIR is ${JSON.stringify(dataDir)}; allowed is a folder that this user may write to, on a file system that has locks.`,
      { cause: error },
    );
  }
}

/** The process that holds the data directory now, or undefined where none does, whatever a killed one has left. */
export async function readLock(dataDir: string): Promise<LockHolder | undefined> {
  if (!existsSync(heldFile(dataDir))) return undefined;
  const held = await hold(dataDir, 1);
  held?.close();
  return held === undefined ? readHolder(dataDir) : undefined;
}

async function describeLock(
  dataDir: string,
  held: DatabaseSync,
  info: { readonly url?: string },
  startedAt: Date,
): Promise<DataDirLock> {
  const abandonedBy = await readHolder(dataDir);
  let holder: LockHolder = { pid: process.pid, host: hostname(), startedAt: startedAt.toISOString(), ...info };
  let released = false;
  const close = () => held.close();
  process.once('exit', close); // also keeps the handle from being collected, which would end the lock
  const lock: DataDirLock = {
    abandonedBy,
    async update(more) {
      if (released) return;
      holder = { ...holder, ...more };
      await writeHolder(dataDir, holder);
    },
    async release() {
      if (released) return;
      released = true;
      process.off('exit', close);
      await rm(holderFile(dataDir), { force: true }).finally(close);
    },
  };
  try {
    await lock.update({});
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

/** Several attempts, because a command that only looks whether a server runs holds the lock for an instant. */
async function hold(dataDir: string, attemptsLeft: number): Promise<DatabaseSync | undefined> {
  const file = new DatabaseSync(heldFile(dataDir));
  try {
    file.exec('begin exclusive');
    await chmod(heldFile(dataDir), 0o600);
    return file;
  } catch (error) {
    file.close();
    if (!isBusy(error)) throw error;
  }
  if (attemptsLeft <= 1) return undefined;
  await wait(attemptEveryMs);
  return hold(dataDir, attemptsLeft - 1);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && (error as unknown as Record<string, unknown>).errcode === sqliteBusy;
}

/** Undefined where the file is absent or is not ours: the lock itself does not depend on it. */
async function readHolder(dataDir: string): Promise<LockHolder | undefined> {
  try {
    const holder = JSON.parse(await readFile(holderFile(dataDir), 'utf8')) as Partial<LockHolder> | null;
    const { pid, host, startedAt, url } = holder ?? {};
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof startedAt !== 'string') return undefined;
    return typeof url === 'string' ? { pid, host, startedAt, url } : { pid, host, startedAt };
  } catch (error) {
    if (error instanceof SyntaxError || databaseErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeHolder(dataDir: string, holder: LockHolder): Promise<void> {
  const draft = `${holderFile(dataDir)}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  await rename(draft, holderFile(dataDir));
}

function lockedError(dataDir: string, holder: LockHolder | undefined): PredictionError {
  const who =
    holder === undefined
      ? 'another process, which is only just starting'
      : `process ${holder.pid} on ${holder.host}, started at ${holder.startedAt}` +
        `${holder.url === undefined ? '' : `, serving ${holder.url}`}`;
  return new PredictionError(
    'DATA_DIR_LOCKED',
    `The data directory ${dataDir} is held by ${who}. Use that server, stop it, or set DATA_DIR to another folder.`,
  );
}

function heldFile(dataDir: string): string {
  return path.join(dataDir, 'server.lock.held');
}

function holderFile(dataDir: string): string {
  return path.join(dataDir, 'server.lock');
}
