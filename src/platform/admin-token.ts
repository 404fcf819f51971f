import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A token of this process alone: who may read the data directory may change what is served from it. */
export interface AdminToken {
  readonly token: string;
  /** Removes the file. */
  remove(): Promise<void>;
}

/**
 * Writes a new token beside the lock of the data directory, which this process holds, for commands of this user on this
 * machine. What a killed server has left is replaced.
 */
export async function writeAdminToken(dataDir: string): Promise<AdminToken> {
  const file = tokenFile(dataDir);
  const token = randomBytes(32).toString('hex');
  await rm(file, { force: true }); // whatever is there may have other rights
  await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
  return { token, remove: () => rm(file, { force: true }) };
}

/** The token of the server that holds the data directory; undefined where this user cannot read it. */
export async function readAdminToken(dataDir: string): Promise<string | undefined> {
  try {
    return (await readFile(tokenFile(dataDir), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'EACCES'].includes(String(error.code)))
      return undefined;
    throw error;
  }
}

function tokenFile(dataDir: string): string {
  return path.join(dataDir, 'server.admin-token');
}
