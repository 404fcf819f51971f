/**
 * How much slower is `$predict` when the store holds more patients?
 *
 *     node bench/predict-by-store-size.ts [few] [many] [requests]      # 10, 1000 and 400 by default
 *
 * Two whole servers in this process, one with few synthetic patients and one with many, are asked over HTTP about the
 * same patients in turn, so that whatever else the machine does meets both alike. Every request has an as-of of its own:
 * each makes a new outcome. Prints a table and one line of JSON; wanted is a ratio of the medians of at most 1.5. Ends
 * with 1 only where something failed. With TEST_DATABASE_URL, databases of their own on that PostgreSQL server are used.
 */
import { generateSamplePatients } from '../src/cli/sample-patients/generate-sample-patients.ts';
import { predictOverHttp } from '../test/support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../test/support/start-fhirsight.ts';
import { atMost, report } from './support/report.ts';

const [few = 10, many = 1_000, requests = 400] = process.argv.slice(2).map(Number);
const warmUp = 40;
const wantedRatio = 1.5;
const now = new Date('2026-03-01T12:00:00Z');
const model = 'prevent-base';

async function serve(
  patients: number,
): Promise<{ server: StartedFhirsight; patients: number; resources: number; loadMs: number }> {
  const server = await startFhirsight({ clock: { now: () => now } });
  const startedMs = performance.now();
  let resources = 0;
  for (const record of generateSamplePatients({ patients, seed: 1, referenceDate: now })) {
    resources += await server.house.repository.writeAll(record);
  }
  return { server, patients, resources, loadMs: performance.now() - startedMs };
}

/** Milliseconds until the whole answer is there. Throws for anything but a result. */
async function timed(server: StartedFhirsight, patient: string, round: number): Promise<number> {
  const asOf = new Date(now.getTime() - (10_000 - round) * 60_000).toISOString();
  const startedMs = performance.now();
  const { status, text } = await predictOverHttp(server.fhir, patient, { model, asOf });
  if (status !== 200) throw new Error(`$predict about ${patient} answered ${status}: ${text}`);
  return performance.now() - startedMs;
}

/** Those of the patients in both stores that the model may speak about. */
async function scorable(server: StartedFhirsight): Promise<string[]> {
  const found: string[] = [];
  for (const [patient] of generateSamplePatients({ patients: few, seed: 1, referenceDate: now })) {
    const id = patient?.id ?? '';
    const { status } = await predictOverHttp(server.fhir, id, { model, asOf: '2026-02-20T00:00:00Z' });
    if (status === 200) found.push(id);
  }
  if (found.length === 0) throw new Error('the model speaks about none of the sample patients');
  return found;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const small = await serve(few);
const large = await serve(many);
try {
  const patients = await scorable(small.server);
  const times: { small: number[]; large: number[] } = { small: [], large: [] };
  for (let round = 0; round < warmUp + requests; round++) {
    const patient = patients[round % patients.length] ?? '';
    for (const which of round % 2 === 0 ? (['small', 'large'] as const) : (['large', 'small'] as const)) {
      const tookMs = await timed((which === 'small' ? small : large).server, patient, round);
      if (round >= warmUp) times[which].push(tookMs);
    }
  }
  const rowOf = ({ patients: loaded, resources, loadMs }: typeof small, measured: number[]) => {
    const sorted = measured.sort((one, other) => one - other);
    const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;
    return {
      patients: loaded,
      resources,
      loadMs: Math.round(loadMs),
      requests: sorted.length,
      p50Ms: rounded(quantile(sorted, 0.5)),
      p95Ms: rounded(quantile(sorted, 0.95)),
    };
  };
  const rows = [rowOf(small, times.small), rowOf(large, times.large)] as const;
  console.table(rows);
  report('predict-by-store-size', { database: small.server.house.database.kind, rows }, [
    atMost(`$predict p50, ${many} patients / ${few}`, rows[1].p50Ms / rows[0].p50Ms, wantedRatio, {
      fewP50Ms: rows[0].p50Ms,
      manyP50Ms: rows[1].p50Ms,
    }),
  ]);
} finally {
  await large.server.close();
  await small.server.close();
}
