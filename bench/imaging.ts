/**
 * Does a run over many studies hold up the event loop, gather memory, or slow the bedside down?
 *
 *     node bench/imaging.ts [studies] [rounds] [seconds]      # 200, 5 and 15 by default
 *
 * A PACS with a radiograph of 2,000 × 2,400 pixels for each patient, and a run of chest-phantom over all these studies, with reports and
 * heat maps. First alone: the delay of the event loop against that of the idle server, and the resident memory of the second half
 * against the first. Then `$predict` of prevent-base at the same rate in turn without and with such a run; each round has 300
 * calls of either kind, for the p99 of the 160 calls of shorter ones is of two calls, and its ratio went from 1.3 to 3.8.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bundle } from '@medplum/fhirtypes';
import { root, startFhirsightProcess } from '../test/support/fhirsight-process.ts';
import { someModels } from '../test/support/some-models.ts';
import { createTestDataDir } from '../test/support/test-data-dir.ts';
import { finishedRun, startRun } from './support/cohort-run.ts';
import { imagedPatient, imagingFile, patientOf } from './support/imaging-patients.ts';
import { type LoadResult, load, median } from './support/load.ts';
import { model as bedsideModel } from './support/records.ts';
import { atMost, report } from './support/report.ts';
import { type SoakSample, soakSamples } from './support/soak-samples.ts';

const [studies = 200, rounds = 5, seconds = 15] = process.argv.slice(2).map(Number);
const imageModel = 'chest-phantom';
const ratePerSecond = 20;
const minuteMs = 60_000;
const now = new Date(Math.floor(Date.now() / minuteMs) * minuteMs);
/** Every study of the bench. */
const all = 'modality=CR&status=available';
const numbers = Array.from({ length: studies }, (_, number) => number);

const settings = await mkdtemp(path.join(tmpdir(), 'fhirsight-bench-imaging-'));
const data = await createTestDataDir();
const pacs = spawn(process.execPath, [path.join(import.meta.dirname, 'support/picture-pacs.ts'), String(studies)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const stops: (() => Promise<unknown>)[] = [
  () => rm(settings, { recursive: true }),
  () => data.remove(),
  async () => {
    const ended = once(pacs, 'close');
    if (pacs.kill('SIGTERM')) await ended;
  },
];
try {
  const [base] = (await once(pacs.stdout, 'data')) as [Buffer];
  const file = path.join(settings, 'imaging.json');
  await writeFile(file, JSON.stringify(imagingFile(base.toString('utf8').trim())));
  const server = await startFhirsightProcess(
    {
      ...data.settings,
      IMAGING_FILE: file,
      MODELS_DIR: await someModels([bedsideModel, imageModel]),
      SAMPLE_PATIENTS: '150',
    },
    { nodeOptions: ['--import', path.join(root, 'bench/support/soak-monitor.ts')] },
  );
  stops.push(() => server.stop('SIGTERM'));
  await putAll(server.fhir);
  const bodies = await bedsideBodies(server.fhir);
  const bedside = () =>
    load({
      url: `${server.fhir}/Patient/$predict`,
      contentType: 'application/fhir+json',
      bodies,
      connections: 4,
      seconds,
      rate: ratePerSecond,
    });
  /** What the monitor said from here until the work is done. */
  const samplesDuring = async (work: () => Promise<unknown>): Promise<SoakSample[]> => {
    server.child.kill('SIGUSR2');
    const before = server.output().length;
    await work();
    return soakSamples(server.output().slice(before));
  };
  const runOf = (search: string, minutes: number) =>
    startRun(server.url, {
      model: imageModel,
      asOf: new Date(now.getTime() - minutes * minuteMs),
      explain: true,
      cohort: { search: `ImagingStudy?${search}` },
    });

  await finishedRun(server.url, await runOf(`_id=${numbers.slice(0, 8).map(patientOf)}`, 0)); // threads and sessions are opened
  await bedside();
  const idle = await samplesDuring(() => wait(seconds * 1000));
  let alone = 0;
  const busy = await samplesDuring(async () => {
    const run = await runOf(all, 1);
    alone = (await finishedRun(server.url, run)).seconds;
    await requireAllRead(server.url, run);
  });

  const without: LoadResult[] = [];
  const during: LoadResult[] = [];
  for (let round = 0; round < rounds; round++) {
    without.push(await bedside());
    const run = await runOf(all, 2 + round);
    during.push(await bedside());
    await cancelledRun(server.url, run);
  }

  const [atIdle, atWork] = [idle.at(-1), busy.at(-1)];
  if (atIdle === undefined || atWork === undefined || busy.length < 4)
    throw new Error('the run was too short to be measured: give it more studies');
  const half = Math.floor(busy.length / 2);
  const rss = (some: readonly SoakSample[]): number => median(some.map(({ rssMb }) => rssMb));
  const [firstMb, secondMb] = [rss(busy.slice(0, half)), rss(busy.slice(half))];
  const p99 = (side: readonly LoadResult[]): number => median(side.map(({ p99Ms }) => p99Ms));
  const p50 = (side: readonly LoadResult[]): number => median(side.map(({ p50Ms }) => p50Ms));
  report('imaging', { studies, seconds: alone, perSecond: studies / alone, ratePerSecond }, [
    atMost('event-loop delay p99 while studies are read / idle', atWork.p99Ms / atIdle.p99Ms, 5, {
      idleP50Ms: atIdle.p50Ms,
      idleP99Ms: atIdle.p99Ms,
      p50Ms: atWork.p50Ms,
      p99Ms: atWork.p99Ms,
      maxMs: atWork.maxMs,
    }),
    atMost('resident memory of a run over studies, second half / first', secondMb / firstMb, 1.1, {
      firstMb,
      secondMb,
      mostMb: Math.max(...busy.map(({ rssMb }) => rssMb)),
    }),
    atMost('$predict p99 during a run over studies / without', p99(during) / p99(without), 2.5, {
      withoutP99Ms: p99(without),
      duringP99Ms: p99(during),
      withoutP50Ms: p50(without),
      duringP50Ms: p50(during),
    }),
  ]);
} finally {
  for (const stop of stops.reverse()) await stop();
}

/** The patients with their studies. */
async function putAll(fhir: string): Promise<void> {
  const entry = numbers
    .flatMap((number) => imagedPatient(number, now))
    .map((resource) => ({
      resource,
      request: { method: 'PUT' as const, url: `${resource.resourceType}/${resource.id}` },
    }));
  for (let from = 0; from < entry.length; from += 200) {
    const bundle: Bundle = { resourceType: 'Bundle', type: 'transaction', entry: entry.slice(from, from + 200) };
    const answer = await fetch(fhir, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(bundle),
    });
    if (!answer.ok) throw new Error(`the studies were not stored (${answer.status}): ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}

/** Calls about sample patients that prevent-base has an answer for, each as of its own minute. */
async function bedsideBodies(fhir: string): Promise<string[]> {
  const bodyOf = (patient: string, minutes: number) =>
    JSON.stringify({
      resourceType: 'Parameters',
      parameter: [
        { name: 'model', valueString: bedsideModel },
        { name: 'subject', valueString: `Patient/${patient}` },
        { name: 'asOf', valueDateTime: new Date(now.getTime() - minutes * minuteMs).toISOString() },
      ],
    });
  const bodies: string[] = [];
  for (let number = 1; number <= 150; number++) {
    const patient = `sample-${String(number).padStart(4, '0')}`;
    const answer = await fetch(`${fhir}/Patient/$predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: bodyOf(patient, 600),
    });
    await answer.arrayBuffer();
    if (answer.status === 200) bodies.push(bodyOf(patient, 500 - number));
  }
  return bodies;
}

/** Ends a run. Throws where it has ended already: then nobody was disturbed by it. */
async function cancelledRun(url: string, run: string): Promise<void> {
  const answer = await fetch(`${url}/runs/${run}/cancel`, { method: 'POST' });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error('the run ended before the round did: give it more studies');
  for (;;) {
    const { state } = (await (await fetch(`${url}/runs/${run}`)).json()) as { state: string };
    if (state === 'cancelled') return;
    await wait(200);
  }
}

/** Throws where a study was not read: what is not done costs nothing. */
async function requireAllRead(url: string, run: string): Promise<void> {
  const { tally } = (await (await fetch(`${url}/runs/${run}`)).json()) as { tally: { scored: number } };
  if (tally.scored !== studies) throw new Error(`not every study was read: ${JSON.stringify(tally)}`);
}
