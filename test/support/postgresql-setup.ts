import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const installed = '/usr/lib/postgresql';
const startAttempts = 100;

/**
 * Starts a PostgreSQL server of its own for the service suite, from Debian's package, and stops it afterwards. With
 * TEST_DATABASE_URL set, that server is used. Throws where neither is there: a missing service fails the suite.
 */
export default async function startPostgresql(): Promise<() => Promise<void>> {
  if (process.env.TEST_DATABASE_URL !== undefined) return async () => undefined;
  const bin = binaries();
  const user = account();
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-postgresql-'));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = path.join(folder, 'data');
  execFileSync(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C'],
    { ...user, stdio: 'ignore', cwd: folder },
  );
  const port = await freePort();
  // The port is open on loopback only, for as long as the suite runs, over an empty cluster.
  const server = spawn(
    path.join(bin, 'postgres'),
    ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-c', 'max_connections=200'],
    { ...user, stdio: 'ignore', cwd: folder },
  );
  const ended = once(server, 'exit');
  for (let attempt = 0; !answers(bin, port); attempt++) {
    if (attempt === startAttempts || server.exitCode !== null) throw new Error('PostgreSQL did not start');
    await wait(100);
  }
  process.env.TEST_DATABASE_URL = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return async () => {
    server.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
}

function binaries(): string {
  const versions = existsSync(installed) ? readdirSync(installed).sort((a, b) => Number(b) - Number(a)) : [];
  const [newest] = versions;
  if (newest === undefined) {
    throw new Error(
      'PostgreSQL is not installed, and the service suite does not run without it: apt-get install postgresql',
    );
  }
  return path.join(installed, newest, 'bin');
}

/** PostgreSQL refuses to run as root; Debian's package brings an account for it. */
function account(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function answers(bin: string, port: number): boolean {
  try {
    execFileSync(path.join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port), '-q']);
    return true;
  } catch {
    return false; // pg_isready says with its exit status that it is not ready yet
  }
}
