/**
 * Does a cohort run slow the bedside down? p99 of `$predict` while a run goes on against p99 without.
 *
 *     node bench/predict-during-run.ts [patients] [rounds] [seconds]      # 3000, 3 and 5 by default
 *
 * The same calls about patients of the own store at the same rate, in turn without and with a run over all patients; a
 * round with a run counts only if the run outlasted it.
 */
import { finishedRun, startRun } from './support/cohort-run.ts';
import { type LoadResult, load, median } from './support/load.ts';
import { startLoadedServer } from './support/loaded-server.ts';
import { model } from './support/records.ts';
import { atMost, report } from './support/report.ts';

const [patients = 3_000, rounds = 3, seconds = 5] = process.argv.slice(2).map(Number);
const ratePerSecond = 20;
const minuteMs = 60_000;
const now = Math.floor(Date.now() / minuteMs) * minuteMs;

const { server, stop } = await startLoadedServer(patients);
try {
  const bodyOf = (patient: string, minutes: number) => ({
    resourceType: 'Parameters',
    parameter: [
      { name: 'model', valueString: model },
      { name: 'subject', valueString: `Patient/${patient}` },
      { name: 'asOf', valueDateTime: new Date(now - minutes * minuteMs).toISOString() },
    ],
  });
  const bodies: string[] = [];
  for (let number = 1; bodies.length < 100; number++) {
    const patient = `sample-${String(number).padStart(4, '0')}`;
    const answer = await fetch(`${server.url}/fhir/R4/Patient/$predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(bodyOf(patient, 600)),
    });
    await answer.arrayBuffer();
    if (answer.status === 200) bodies.push(JSON.stringify(bodyOf(patient, 500 - (number % 300))));
  }
  const bedside = () =>
    load({
      url: `${server.url}/fhir/R4/Patient/$predict`,
      contentType: 'application/fhir+json',
      bodies,
      connections: 4,
      seconds,
      rate: ratePerSecond,
    });
  await bedside();
  const measured: { without: LoadResult[]; during: LoadResult[] } = { without: [], during: [] };
  for (let round = 0; round < rounds; round++) {
    measured.without.push(await bedside());
    const run = await startRun(server.url, { model, asOf: new Date(now - (100 + round) * minuteMs), explain: true });
    measured.during.push(await bedside());
    const { state } = (await (await fetch(`${server.url}/runs/${run}`)).json()) as { state: string };
    if (state !== 'running') throw new Error(`the run was ${state} before the round ended: give it more patients`);
    await finishedRun(server.url, run);
  }
  const p99 = (side: LoadResult[]): number => median(side.map(({ p99Ms }) => p99Ms));
  const p50 = (side: LoadResult[]): number => median(side.map(({ p50Ms }) => p50Ms));
  report('predict-during-run', { patients, rounds, seconds, ratePerSecond }, [
    atMost('$predict p99 during a run / without', p99(measured.during) / p99(measured.without), 2.5, {
      withoutP99Ms: p99(measured.without),
      duringP99Ms: p99(measured.during),
      withoutP50Ms: p50(measured.without),
      duringP50Ms: p50(measured.during),
    }),
  ]);
} finally {
  await stop();
}
