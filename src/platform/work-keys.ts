import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Database } from './database.ts';
import { PredictionError } from './errors.ts';
import { keepOnce } from './settings-table.ts';
import { parseKeys, type ValuesKeys } from './values-cipher.ts';

/** Of the file in DATA_DIR. */
export const workKeyFile = 'work.keys';

/**
 * The keys of what the server must read again by itself to do its work: searches of runs, and requests that wait. Those of
 * VALUES_KEY_FILE or VALUES_KEY come first; without any a key of this installation alone is made, once, in DATA_DIR, where only
 * this user reads it (0600). What it sealed opens also after a key was set.
 * Throws CONFIG_INVALID where the file holds no key.
 * @param dataDir is ours alone
 */
export async function readWorkKeys(dataDir: string, valuesKeys: ValuesKeys | undefined): Promise<ValuesKeys> {
  const file = path.join(dataDir, workKeyFile);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new PredictionError('CONFIG_INVALID', `${file} cannot be read (${error.code}). Let this user read it.`, {
      cause: error,
    });
  });
  const own = text === undefined ? undefined : parseKeys(file, text);
  if (valuesKeys !== undefined)
    return new Map([...valuesKeys, ...[...(own ?? [])].filter(([id]) => !valuesKeys.has(id))]);
  return own ?? parseKeys(file, await makeKey(file));
}

/** Whole or not at all, and on the disk before anything is sealed with it. */
async function makeKey(file: string): Promise<string> {
  const line = `own-${randomBytes(4).toString('hex')}:${randomBytes(32).toString('base64')}\n`;
  const draft = await open(`${file}.draft`, 'w', 0o600);
  try {
    await draft.chmod(0o600); // what a killed server has left may have other rights
    await draft.writeFile(line);
    await draft.sync();
  } finally {
    await draft.close();
  }
  await rename(`${file}.draft`, file);
  return line;
}

/**
 * Servers that share a PostgreSQL take each other's work: without VALUES_KEY_FILE or VALUES_KEY there may be one, and the database
 * knows the first by the id of its key. An embedded database lies beside its key and has no other server.
 * Throws CONFIG_INVALID where that key is not here.
 */
export async function refuseForeignWork(
  database: Pick<Database, 'kind' | 'query'>,
  tenant: string,
  { own, configured }: { readonly own: ValuesKeys; readonly configured: boolean },
): Promise<void> {
  if (configured || database.kind === 'pglite') return;
  const [id = ''] = own.keys();
  const first = await keepOnce(database, tenant, 'work-key', id);
  if (own.has(first)) return;
  throw new PredictionError(
    'CONFIG_INVALID',
    `The searches and requests that wait in this database are sealed with the key '${first}' of another DATA_DIR, and this server ` +
      `would fail on them. Where servers share the database, or DATA_DIR is not kept, set VALUES_KEY_FILE or VALUES_KEY, the same at ` +
      `each of them; or give this one the DATA_DIR whose file ${workKeyFile} holds that key.`,
  );
}
