import { type FhirsightProcess, runFhirsight, startFhirsightProcess } from '../../test/support/fhirsight-process.ts';
import { createTestDataDir } from '../../test/support/test-data-dir.ts';

/** A fhirsight in a process of its own whose store holds synthetic patients; on the server of TEST_DATABASE_URL, if set. */
export async function startLoadedServer(
  patients: number,
): Promise<{ readonly server: FhirsightProcess; stop(): Promise<void> }> {
  const data = await createTestDataDir();
  const loaded = await runFhirsight(['sample', '--load', '--patients', String(patients)], data.settings);
  if (loaded.code !== 0) throw new Error(`the sample patients were not loaded: ${loaded.stderr}`);
  const server = await startFhirsightProcess(data.settings);
  return {
    server,
    stop: async () => {
      await server.stop('SIGTERM');
      await data.remove();
    },
  };
}
