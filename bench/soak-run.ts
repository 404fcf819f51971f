/**
 * Does a run over many patients hold up the event loop, or gather memory?
 *
 *     node bench/soak-run.ts [patients]      # 10000 by default
 *
 * A run over all synthetic patients of the own store, results written back, in a server of its own: the 99th percentile
 * of the event-loop delay from the beginning of the run to its end, and the median of the resident memory in the
 * second half of the run against the first.
 */
import path from 'node:path';
import { root, startFhirsightProcess } from '../test/support/fhirsight-process.ts';
import { createTestDataDir } from '../test/support/test-data-dir.ts';
import { finishedRun, startRun } from './support/cohort-run.ts';
import { median } from './support/load.ts';
import { model } from './support/records.ts';
import { atMost, report } from './support/report.ts';
import { type SoakSample, soakSamples } from './support/soak-samples.ts';

const [patients = 10_000] = process.argv.slice(2).map(Number);
const longestDelayMs = 10;

const data = await createTestDataDir();
const server = await startFhirsightProcess(
  { ...data.settings, SAMPLE_PATIENTS: String(patients) },
  { nodeOptions: ['--import', path.join(root, 'bench/support/soak-monitor.ts')] },
);
try {
  server.child.kill('SIGUSR2');
  const before = server.output().length;
  const run = await startRun(server.url, {
    model,
    asOf: new Date(Math.floor(Date.now() / 60_000) * 60_000),
    explain: true,
  });
  const { seconds } = await finishedRun(server.url, run);
  const samples = soakSamples(server.output().slice(before));
  const last = samples.at(-1);
  if (last === undefined || samples.length < 4)
    throw new Error('the run was too short to be measured: give it more patients');
  const half = Math.floor(samples.length / 2);
  const rss = (some: readonly SoakSample[]): number => median(some.map(({ rssMb }) => rssMb));
  const [first, second] = [rss(samples.slice(0, half)), rss(samples.slice(half))];
  report('soak-run', { patients, seconds, perSecond: patients / seconds }, [
    atMost('event-loop delay p99 / 10 ms', last.p99Ms / longestDelayMs, 1, { ...last }),
    atMost('resident memory, second half / first', second / first, 1.1, { firstMb: first, secondMb: second }),
  ]);
} finally {
  await server.stop('SIGTERM');
  await data.remove();
}
