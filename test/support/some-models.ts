import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { shippedModels } from './model-folder.ts';

/**
 * A models folder with some of the shipped models: each model that is loaded costs a start a tenth of a second of work. It stays
 * for the tests that come after, under the digest of its manifests.
 */
export async function someModels(ids: readonly string[]): Promise<string> {
  const digest = createHash('sha256');
  for (const id of ids) digest.update(await readFile(path.join(shippedModels, id, '1.0.0', 'manifest.json')));
  const key = digest.digest('hex').slice(0, 16);
  const place = path.join(tmpdir(), `fhirsight-test-models-${process.getuid?.() ?? 'user'}-${key}`);
  if (existsSync(place)) return place;
  const draft = `${place}.${randomUUID()}`;
  for (const id of ids) await cp(path.join(shippedModels, id), path.join(draft, id), { recursive: true });
  // Another test may have been faster; its folder is as good.
  await rename(draft, place).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(draft, { recursive: true, force: true });
  });
  return place;
}
