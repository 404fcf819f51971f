import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { SiteFileContent } from '../../src/model-catalog/site-file-schema.ts';

/** A site file on disk. */
export interface WrittenSite {
  readonly file: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function writeSite(content: unknown): Promise<WrittenSite> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'fhirsight-site-'));
  const file = path.join(folder, 'site.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** A site file of a synthetic hospital. */
export function siteOf(concepts: SiteFileContent['concepts'], version = '1'): SiteFileContent {
  return { id: 'st-elsewhere', version, concepts };
}
