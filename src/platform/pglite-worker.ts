/**
 * Runs PGlite in a worker thread and serves it on a socket, because on the main thread it would hold up every request.
 * Started by `pglite-server.ts`. Whatever fails inside PGlite ends the thread: a half-broken database never answers.
 */
import { existsSync, mkdirSync, openAsBlob, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import type { PgliteWorkerData, PgliteWorkerMessage } from './pglite-server.ts';

const port = parentPort;
if (port === null) throw new Error('pglite-worker.ts is started as a worker thread only');
const { folder, dump, wasm, listen } = workerData as PgliteWorkerData;
const send = (message: PgliteWorkerMessage) => port.postMessage(message);

if (folder !== undefined) await initialise(folder);
const db = await PGlite.create({
  dataDir: folder,
  loadDataDir: dump === undefined ? undefined : await openAsBlob(dump),
  relaxedDurability: false,
  pgliteWasmModule: wasm,
});
const server = new PGLiteSocketServer({ db: failingLoudly(db), ...listen, maxConnections: 4 });
await server.start();
const address = server.getServerConn();
send({
  type: 'listening',
  tcpPort: 'path' in listen ? undefined : Number(address.slice(address.lastIndexOf(':') + 1)),
});

port.on('message', async (message: 'close' | 'dump') => {
  if (message === 'dump') {
    send({ type: 'dump', bytes: new Uint8Array(await (await db.dumpDataDir('none')).arrayBuffer()) });
    return;
  }
  await server.stop();
  await db.close();
  send({ type: 'closed' });
  port.close();
});

/**
 * Creates a new database beside its place and moves it there once it is complete, so that a process killed during the
 * seconds this takes leaves nothing that looks like a database.
 */
async function initialise(place: string): Promise<void> {
  if (existsSync(path.join(place, 'PG_VERSION'))) return;
  if (existsSync(place) && readdirSync(place).length > 0) {
    throw new Error(`${place} is neither empty nor a database`);
  }
  const draft = `${place}.initialising`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 }); // whatever DATA_DIR allows others
  const fresh = await PGlite.create({ dataDir: draft, pgliteWasmModule: wasm });
  await fresh.close();
  renameSync(draft, place);
}

/** A statement that PGlite could not even answer would leave the socket's queue waiting for ever. */
function failingLoudly(database: PGlite): PGlite {
  const execute = database.execProtocolRawStream.bind(database);
  database.execProtocolRawStream = async (...call) => {
    try {
      await execute(...call);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
      throw error;
    }
  };
  return database;
}
