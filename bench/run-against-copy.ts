/**
 * How fast is a cohort run beside a plain loop that parses, scores and inserts the same results with COPY?
 *
 *     node bench/run-against-copy.ts [patients] [rounds]      # 2000 in all, and 3, by default
 *
 * The run: POST /runs over a Group of patients of the own store, results written back with their Provenance, outcome and log
 * rows, explanation off; timed from its creation to its end. The loop: each patient's resources from one line of NDJSON,
 * JSON.parse, the features by hand, one run of the model, JSON.stringify of an equal RiskAssessment and Provenance, COPY
 * of both in groups of 200 into a database of the same kind, for patients the model speaks about; it knows
 * beforehand which these are. In turn, each round over patients of its own.
 */
import type { Provenance, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { barePrediction } from './support/bare-prediction.ts';
import { finishedRun, putGroup, startRun } from './support/cohort-run.ts';
import { openCopyTarget } from './support/copy-target.ts';
import { median } from './support/load.ts';
import { startLoadedServer } from './support/loaded-server.ts';
import { heldRecords, model } from './support/records.ts';
import { atLeast, report } from './support/report.ts';

const [patients = 2_000, rounds = 3] = process.argv.slice(2).map(Number);
const groupSize = 200;
const minuteMs = 60_000;
const now = Math.floor(Date.now() / minuteMs) * minuteMs;

interface StoredResult {
  readonly risk: RiskAssessment;
  readonly provenance: Provenance;
}

/** What the server stored in its last run, by patient. */
async function storedResults(url: string): Promise<Map<string, StoredResult>> {
  const page = async <Kind extends Resource>(type: Kind['resourceType']): Promise<Kind[]> => {
    const found: Kind[] = [];
    let next: string | undefined = `${url}/fhir/R4/${type}?_count=1000`;
    while (next !== undefined) {
      const bundle = (await (await fetch(next)).json()) as {
        entry?: { resource: Kind }[];
        link?: { relation: string; url: string }[];
      };
      found.push(...(bundle.entry ?? []).map(({ resource }) => resource));
      next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    }
    return found;
  };
  const provenances = new Map(
    (await page<Provenance>('Provenance')).map((one) => [one.target[0]?.reference?.split('/')[1] ?? '', one]),
  );
  const results = new Map<string, StoredResult>();
  for (const risk of await page<RiskAssessment>('RiskAssessment')) {
    const provenance = provenances.get(risk.id ?? '');
    if (provenance === undefined) throw new Error(`RiskAssessment/${risk.id} has no Provenance`);
    results.set(risk.subject.reference?.split('/')[1] ?? '', { risk, provenance });
  }
  return results;
}

/** @returns patients that were parsed a second */
async function plainLoop(lines: readonly string[], results: ReadonlyMap<string, StoredResult>): Promise<number> {
  const target = await openCopyTarget();
  const bare = await barePrediction(new Date(now), results.values().next().value?.risk.performer);
  const startedMs = performance.now();
  let rows: string[] = [];
  const flush = async (): Promise<void> => {
    await target.copy(rows.join(''));
    rows = [];
  };
  for (const line of lines) {
    const resources = JSON.parse(line) as Resource[];
    const patient = resources[0]?.id ?? '';
    const stored = results.get(patient);
    if (stored === undefined) continue;
    const text = JSON.stringify(await bare.predict(resources));
    rows.push(csvRow(patient, text), csvRow(patient, JSON.stringify(stored.provenance)));
    if (rows.length >= groupSize) await flush();
  }
  await flush();
  const perSecond = lines.length / ((performance.now() - startedMs) / 1000);
  await target.close();
  return perSecond;
}

function csvRow(id: string, body: string): string {
  return `${id},"${body.replaceAll('"', '""')}"\n`;
}

const records = [...heldRecords(patients)];
const size = Math.floor(patients / (rounds + 1));
/** The first is for warming up; each round has its own, so that no result supersedes an older one. */
const groups = Array.from({ length: rounds + 1 }, (_, index) => records.slice(index * size, (index + 1) * size));
const asOf = new Date(now - minuteMs);
const { server, stop } = await startLoadedServer(patients);
try {
  const runOnce = async (index: number): Promise<number> => {
    const members = groups[index] ?? [];
    const group = `bench-${index}`;
    await putGroup(
      server.url,
      group,
      members.map(({ patient }) => patient),
    );
    const run = await finishedRun(
      server.url,
      await startRun(server.url, { model, asOf, explain: false, cohort: { group: `Group/${group}` } }),
    );
    return members.length / run.seconds;
  };
  const loopOnce = async (index: number): Promise<number> => {
    const lines = (groups[index] ?? []).map(({ resources }) => JSON.stringify(resources));
    return await plainLoop(lines, await storedResults(server.url));
  };
  await runOnce(0);
  await loopOnce(0);
  const measured: { run: number[]; loop: number[] } = { run: [], loop: [] };
  for (let round = 1; round <= rounds; round++) {
    measured.run.push(await runOnce(round));
    measured.loop.push(await loopOnce(round));
  }
  const [run, loop] = [median(measured.run), median(measured.loop)];
  const database = process.env.TEST_DATABASE_URL === undefined ? 'pglite' : 'postgresql';
  const computable = (await storedResults(server.url)).size;
  report('run-against-copy', { database, patients: size, rounds, computable }, [
    atLeast(`run / plain loop with COPY, patients a second (${database})`, run / loop, 0.3, {
      runPatientsPerSecond: run,
      loopPatientsPerSecond: loop,
    }),
  ]);
} finally {
  await stop();
}
