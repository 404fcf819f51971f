/**
 * Does `fhirsight extract` gather memory?
 *
 *     node bench/extract-rss.ts [patients]      # 10000 by default
 *
 * The training matrix of all synthetic patients of an embedded store, once as CSV and once as Parquet, each by the command
 * in a process of its own: the median of the resident memory in the second half of the rows against the first, and the 99th
 * percentile of the event-loop delay from the first row on.
 */
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { root, spawnFhirsight } from '../test/support/fhirsight-process.ts';
import { createTestDataDir } from '../test/support/test-data-dir.ts';
import { median } from './support/load.ts';
import { model } from './support/records.ts';
import { atMost, type Figure, report } from './support/report.ts';
import { type SoakSample, soakSamples } from './support/soak-samples.ts';

const [patients = 10_000] = process.argv.slice(2).map(Number);
const longestDelayMs = 10;
const fewestSamples = 8;

interface Ended {
  readonly seconds: number;
  readonly samples: readonly SoakSample[];
}

const data = await createTestDataDir();
const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-extract-rss-'));
try {
  await load();
  const figures: Figure[] = [];
  let perSecond = 0;
  for (const format of ['csv', 'parquet']) {
    const { seconds, samples } = await extract(path.join(folder, `matrix.${format}`));
    perSecond = patients / seconds;
    const last = samples.at(-1);
    if (last === undefined || samples.length < fewestSamples)
      throw new Error('the extraction was too short to be measured: give it more patients');
    const half = Math.floor(samples.length / 2);
    const rss = (some: readonly SoakSample[]): number => median(some.map(({ rssMb }) => rssMb));
    const [firstMb, secondMb] = [rss(samples.slice(0, half)), rss(samples.slice(half))];
    figures.push(
      atMost(`${format}: resident memory, second half / first`, secondMb / firstMb, 1.1, {
        firstMb,
        secondMb,
        seconds,
      }),
      atMost(`${format}: event-loop delay p99 / 10 ms`, last.p99Ms / longestDelayMs, 1, { ...last }),
    );
  }
  report('extract-rss', { patients, perSecond }, figures);
} finally {
  await data.remove();
  await rm(folder, { recursive: true });
}

async function load(): Promise<void> {
  const loading = spawnFhirsight(['sample', '--load', '--patients', String(patients)], data.settings);
  loading.stderr.pipe(process.stderr);
  loading.stdout.resume();
  const [code] = (await once(loading, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the sample patients were not loaded (${code})`);
}

/** Samples are those from the first rows in the file to the last: loading the models is none of it. */
async function extract(out: string): Promise<Ended> {
  const monitor = ['--import', path.join(root, 'bench/support/soak-monitor.ts')];
  const asOf = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();
  const args = ['extract', '--model', model, '--cohort', 'all', '--as-of', asOf, '--out', out];
  const child = spawnFhirsight(args, data.settings, monitor);
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  child.stdout.resume();
  let isEnded = false;
  const ended = once(child, 'close').finally(() => {
    isEnded = true;
  });
  while (!isEnded && !(await hasRows(out))) await wait(50);
  const begun = performance.now();
  const before = output.length;
  if (!isEnded) child.kill('SIGUSR2');
  const [code] = (await ended) as [number | null];
  if (code !== 0 || !existsSync(out)) throw new Error(`the extraction ended with ${code}:\n${output}`);
  return { seconds: (performance.now() - begun) / 1000, samples: soakSamples(output.slice(before)) };
}

async function hasRows(out: string): Promise<boolean> {
  const folder = path.dirname(out);
  const name = path.basename(out);
  const drafts = (await readdir(folder)).filter((file) => file.startsWith(`.${name}.`));
  return drafts.some((file) => statSync(path.join(folder, file), { throwIfNoEntry: false })?.size !== 0);
}
