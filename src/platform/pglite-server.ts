import { once } from 'node:events';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { storageFull } from './database-error.ts';
import { PredictionError } from './errors.ts';
import type { Logger } from './logger.ts';
import { type PgliteWasm, pgliteWasm } from './pglite-wasm.ts';

/** What the thread is told: where the data lie, or nothing for a database in memory, and where to listen. */
export interface PgliteWorkerData {
  readonly folder?: string;
  /** A file written from `dump()`; only for a database in memory. */
  readonly dump?: string;
  readonly wasm: PgliteWasm;
  readonly listen: { readonly path: string } | { readonly host: string; readonly port: number };
}

export type PgliteWorkerMessage =
  | { readonly type: 'listening'; readonly tcpPort?: number }
  | { readonly type: 'dump'; readonly bytes: Uint8Array }
  | { readonly type: 'closed' };

export interface PgliteServer {
  /** For `pg`: a folder holding the socket, or a loopback address. */
  connection(): { readonly host: string; readonly port: number };
  /** Resolves once the thread serves; starts it again where it has ended (a full disk ends it). */
  ensureRunning(): Promise<void>;
  /** Ends the thread; `ensureRunning` starts another, which recovers from the write-ahead log. */
  abandon(): Promise<void>;
  /** The whole data directory as a tar, for `PgliteWorkerData.dump`. */
  dump(): Promise<Uint8Array>;
  close(): Promise<void>;
}

const socketPort = 5432; // only a part of the socket's name
const longestSocketPath = 100; // the system's limit is 104 on macOS, 108 on Linux
const startTimeoutMs = 60_000; // recovery after a kill included
const closeTimeoutMs = 10_000;
const spaceForStartBytes = 32 * 1024 * 1024; // a new segment of the write-ahead log and room to recover

/**
 * Starts PGlite in a worker thread. It listens on a Unix socket in a folder that only this user may enter, since PGlite
 * asks nobody for a password; on loopback TCP where Unix sockets do not exist.
 */
export async function startPgliteServer(options: {
  readonly folder?: string;
  readonly dump?: string;
  readonly logger: Logger;
}): Promise<PgliteServer> {
  const { folder, logger } = options;
  const socketDir = process.platform === 'win32' ? undefined : await makeSocketDir();
  const socketPath = socketDir === undefined ? undefined : path.join(socketDir, `.s.PGSQL.${socketPort}`);
  let tcpPort = 0;
  let worker: Worker | undefined;
  let starting: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    if (socketPath !== undefined) await rm(socketPath, { force: true });
    const listen = socketPath === undefined ? { host: '127.0.0.1', port: tcpPort } : { path: socketPath };
    const wasm = await pgliteWasm();
    const thread = new Worker(workerFile(), {
      workerData: { folder, dump: options.dump, wasm, listen } satisfies PgliteWorkerData,
      execArgv: [],
      stdout: true,
      stderr: true,
    });
    thread.stdout.resume();
    thread.stderr.resume();
    const timeout = setTimeout(() => void thread.terminate(), startTimeoutMs);
    try {
      tcpPort = (await nextMessage(thread, 'listening')).tcpPort ?? 0;
    } catch (error) {
      throw await startFailure(error, folder);
    } finally {
      clearTimeout(timeout);
    }
    worker = thread;
    thread.on('error', (error) => logger.event({ name: 'error.unexpected', error }));
    thread.on('exit', (exitCode) => {
      worker = undefined;
      if (closing === undefined) logger.event({ name: 'database.stopped-unexpectedly', exitCode });
    });
  };

  const server: PgliteServer = {
    connection: () =>
      socketDir === undefined ? { host: '127.0.0.1', port: tcpPort } : { host: socketDir, port: socketPort },
    async ensureRunning() {
      if (worker !== undefined) return;
      if (closing !== undefined) throw new PredictionError('SHUTTING_DOWN', 'The database is closed.');
      starting ??= start().finally(() => {
        starting = undefined;
      });
      await starting;
    },
    async abandon() {
      await worker?.terminate();
    },
    async dump() {
      if (worker === undefined)
        throw new PredictionError('DATABASE_UNAVAILABLE', 'The embedded database does not run.');
      const answer = nextMessage(worker, 'dump');
      worker.postMessage('dump');
      return (await answer).bytes;
    },
    close() {
      closing ??= stop();
      return closing;
    },
  };

  const stop = async (): Promise<void> => {
    await starting?.catch(() => undefined); // its caller has the error
    const thread = worker;
    if (thread !== undefined) {
      const ended = once(thread, 'exit');
      const timeout = setTimeout(() => {
        logger.event({ name: 'database.close-timed-out', waitedMs: closeTimeoutMs });
        void thread.terminate();
      }, closeTimeoutMs);
      thread.postMessage('close');
      await ended;
      clearTimeout(timeout);
    }
    if (socketDir !== undefined) await rm(socketDir, { recursive: true, force: true });
  };

  try {
    await server.ensureRunning();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** `.ts` when run from source, `.js` in `dist`: the thread's file stands beside this one. */
function workerFile(): URL {
  return new URL(`./pglite-worker${path.extname(import.meta.filename)}`, import.meta.url);
}

/** `mkdtemp` gives the folder mode 0700. */
async function makeSocketDir(): Promise<string> {
  const base = Buffer.byteLength(tmpdir()) > longestSocketPath - 40 ? '/tmp' : tmpdir();
  return mkdtemp(path.join(base, 'fhirsight-'));
}

/** The next message of one type; rejects when the thread fails or ends before it. */
function nextMessage<T extends PgliteWorkerMessage['type']>(
  thread: Worker,
  type: T,
): Promise<Extract<PgliteWorkerMessage, { type: T }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: PgliteWorkerMessage) => {
      if (message.type !== type) return;
      release();
      resolve(message as Extract<PgliteWorkerMessage, { type: T }>);
    };
    const onError = (error: Error) => {
      release();
      reject(error);
    };
    const onExit = (exitCode: number) => onError(new Error(`the thread of the database ended with ${exitCode}`));
    const release = () => {
      thread.off('message', onMessage);
      thread.off('error', onError);
      thread.off('exit', onExit);
    };
    thread.on('message', onMessage);
    thread.on('error', onError);
    thread.on('exit', onExit);
  });
}

/** PGlite says only that it failed to initialise; a full disk is told from the space that is left. */
async function startFailure(cause: unknown, folder: string | undefined): Promise<PredictionError> {
  if (folder !== undefined) {
    // Where the file system does not say, the failure itself is reported below.
    const space = await statfs(path.dirname(folder)).catch(() => undefined);
    if (space !== undefined && space.bavail * space.bsize < spaceForStartBytes) return storageFull(cause);
  }
  return new PredictionError(
    'DATABASE_UNAVAILABLE',
    `The embedded database ${folder === undefined ? 'in memory' : `in ${folder}`} does not open: ` +
      `${cause instanceof Error ? cause.message : String(cause)}. Check that this user may write there and that the ` +
      'folder was written by this release or an earlier one; set DATA_DIR to another folder to start afresh.',
    { cause },
  );
}
