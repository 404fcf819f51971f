import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type StartedFhirsight, type StartFhirsightOptions, startFhirsight } from './start-fhirsight.ts';

export interface GuardedFhirsight extends StartedFhirsight {
  /** Rows of everything that a caller can change. */
  rows(): Promise<Readonly<Record<string, number>>>;
}

/**
 * A whole fhirsight with AUTH=required and this ACCESS_FILE.
 * @param files by name: what the access file names beside itself
 */
export async function startGuardedFhirsight(
  access: object,
  { settings, ...options }: StartFhirsightOptions = {},
  files: Readonly<Record<string, string>> = {},
): Promise<GuardedFhirsight> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-access-'));
  const file = path.join(folder, 'access.json');
  await writeFile(file, JSON.stringify(access));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const started = await startFhirsight({
    ...options,
    settings: { AUTH: 'required', ACCESS_FILE: file, ...settings },
  });
  return {
    ...started,
    async rows() {
      const { database } = started.house;
      const counted: Record<string, number> = {};
      for (const table of tables) {
        const { rows } = await database.query<{ count: string }>(`select count(*) as count from ${table}`);
        counted[table] = Number(rows[0]?.count);
      }
      return counted;
    },
    close: async () => {
      await started.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What denials leave as it is; that they are logged is another matter. */
const tables = [
  'resources',
  'resource_versions',
  'outcomes',
  'prediction_log',
  'runs',
  'run_members',
  'deliveries',
  'version_records',
  'cds_feedback',
  'report_reviews',
] as const;
