import { once } from 'node:events';
import { type FhirsightProcess, spawnFhirsight, startFhirsightProcess } from '../../test/support/fhirsight-process.ts';
import { createTestDataDir } from '../../test/support/test-data-dir.ts';

/** A fhirsight in a process of its own whose store holds synthetic patients; on the server of TEST_DATABASE_URL, if set. */
export async function startLoadedServer(
  patients: number,
): Promise<{ readonly server: FhirsightProcess; stop(): Promise<void> }> {
  const data = await createTestDataDir();
  const loading = spawnFhirsight(['sample', '--load', '--patients', String(patients)], data.settings);
  loading.stderr.pipe(process.stderr);
  loading.stdout.resume();
  const [code] = (await once(loading, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the sample patients were not loaded (${code})`);
  const server = await startFhirsightProcess(data.settings);
  return {
    server,
    stop: async () => {
      await server.stop('SIGTERM');
      await data.remove();
    },
  };
}
