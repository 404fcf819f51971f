import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * A folder that the first test of a machine fills and that is there for all that come after, to be read and copied only.
 * @param key changes with whatever is in it
 * @param fill makes the folder and what is in it
 */
export async function keptFolder(name: string, key: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const place = path.join(tmpdir(), `fhirsight-test-${name}-${process.getuid?.() ?? 'user'}-${key}`);
  if (existsSync(place)) return place;
  const draft = `${place}.${randomUUID()}`;
  await fill(draft);
  // Another test may have been faster; its folder is as good.
  await rename(draft, place).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(draft, { recursive: true, force: true });
  });
  return place;
}
