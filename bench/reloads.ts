/**
 * Do reloads keep anybody waiting?
 *
 *     node bench/reloads.ts [reloads]      # 50 by default, every fifth of a broken folder
 *
 * `$predict` (the record in the call, no contributions) is asked 200 times a second by another process, while versions are
 * loaded, promoted and removed every two seconds. Every answer is looked at: its score, its Device, its digest and its words
 * belong to one version. Figures: the 99th percentile while models are loaded against that of the quiet time before and
 * after, the memory at the end against that after a fifth of the reloads. Ends with 1 where a call failed or was mixed.
 */
import { reloadsUnderLoad } from '../test/support/reloads-under-load.ts';
import { atMost, report } from './support/report.ts';

const [reloads = 50] = process.argv.slice(2).map(Number);
const found = await reloadsUnderLoad({ rate: 200, steadySeconds: 20, reloads, brokenEvery: 5, everyMs: 2_000 });
const { p99Ms, slowestMs, rssMb, calls, failed, mixed } = found;
report(
  'reloads',
  { reloads: found.reloads, calls, failed: failed.length, mixed: mixed.length, versions: found.versions.length },
  [
    atMost('p99 while models are reloaded, against a quiet server', p99Ms.reloading / p99Ms.steady, 2, {
      p99Ms: p99Ms.reloading,
      quietP99Ms: p99Ms.steady,
      slowestMs: slowestMs.reloading,
      quietSlowestMs: slowestMs.steady,
    }),
    atMost('memory at the end, against that after a fifth of the reloads', rssMb.end / rssMb.early, 1.15, {
      endMb: rssMb.end,
      earlyMb: rssMb.early,
    }),
  ],
);
for (const line of [...failed, ...mixed].slice(0, 10)) process.stderr.write(`${line}\n`);
if (failed.length + mixed.length > 0) process.exitCode = 1;
