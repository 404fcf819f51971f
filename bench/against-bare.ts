/**
 * What do the guarantees cost? `$predict` and the CDS hook against a bare `node:http` server.
 *
 *     node bench/against-bare.ts [seconds per round] [rounds]      # 4 and 5 by default
 *
 * The bare server parses the same body, fills the same features, runs the same model and answers with JSON.stringify of
 * an equal RiskAssessment; only records about which both say the same are used. Both are processes of their own and
 * are loaded in turn by the same generator, explanation off in both, logs at `warn`. Every call holds the whole record:
 * `$predict` by useServerData=false, the hook by its prefetch. Both are warmed up first: the engine goes on compiling
 * for thousands of calls, and a server runs for months. Figures are medians over the rounds; p99 is compared at the same
 * number of open calls. Ends with 1 only where something failed.
 */
import type { RiskAssessment } from '@medplum/fhirtypes';
import { startFhirsightProcess } from '../test/support/fhirsight-process.ts';
import { copyModel } from '../test/support/model-folder.ts';
import { createTestDataDir } from '../test/support/test-data-dir.ts';
import { startBareServer } from './support/bare-process.ts';
import { type LoadResult, load, median } from './support/load.ts';
import { type HeldRecord, heldRecords, hookBody, model, predictBody } from './support/records.ts';
import { atLeast, atMost, report } from './support/report.ts';

const [seconds = 4, rounds = 5] = process.argv.slice(2).map(Number);
const warmUpSeconds = 20;
const connections = 32;
const candidates = 160;
const leastRecords = 10;
const instants = 8;
const asOf = new Date(Math.floor(Date.now() / 60_000) * 60_000);
const fhirJson = 'application/fhir+json';

async function post(url: string, body: unknown, contentType = fhirJson): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** The records that the model speaks about, with the answer to each. */
async function computable(url: string): Promise<Map<HeldRecord, RiskAssessment>> {
  const found = new Map<HeldRecord, RiskAssessment>();
  for (const record of heldRecords(candidates)) {
    const answer = await post(`${url}/fhir/R4/Patient/$predict`, predictBody(record, asOf));
    if (answer.status === 200) found.set(record, answer.body as RiskAssessment);
  }
  if (found.size === 0) throw new Error('the model speaks about none of the sample patients');
  return found;
}

/**
 * The records about which both sides say the same: every probability alike, in answers of one size. The
 * bare server knows no units, windows and referenced Medications; where it is wrong there is nothing to compare.
 */
async function agreed(url: string, answers: ReadonlyMap<HeldRecord, RiskAssessment>): Promise<HeldRecord[]> {
  const found: HeldRecord[] = [];
  for (const [record, answer] of answers) {
    const bare = (await post(url, predictBody(record, asOf))).body as RiskAssessment;
    const sizes = JSON.stringify(bare).length / JSON.stringify(answer).length;
    const alike = (answer.prediction ?? []).every(
      ({ probabilityDecimal = Number.NaN }, index) =>
        Math.abs(probabilityDecimal - (bare.prediction?.[index]?.probabilityDecimal ?? Number.NaN)) < 1e-9,
    );
    if (alike && sizes > 0.9 && sizes < 1.1) found.push(record);
  }
  if (found.length < leastRecords) throw new Error(`the bare server agrees about ${found.length} records only`);
  return found;
}

function performerOf(answers: ReadonlyMap<HeldRecord, RiskAssessment>): RiskAssessment['performer'] {
  const [answer] = answers.values();
  return answer?.performer;
}

/** Several as-of instants of each record, so that most calls make an outcome of their own. */
function predictBodies(records: readonly HeldRecord[]): string[] {
  return records.flatMap((record) =>
    Array.from({ length: instants }, (_, minutes) =>
      JSON.stringify(predictBody(record, new Date(asOf.getTime() - minutes * 60_000))),
    ),
  );
}

async function interleaved(
  bare: { url: string; bodies: readonly string[] },
  ours: { url: string; bodies: readonly string[] },
  contentType: string,
): Promise<{ bare: LoadResult[]; ours: LoadResult[] }> {
  const common = { contentType, connections };
  for (const side of [bare, ours]) await load({ ...common, ...side, seconds: warmUpSeconds });
  const results: { bare: LoadResult[]; ours: LoadResult[] } = { bare: [], ours: [] };
  for (let round = 0; round < rounds; round++) {
    results.bare.push(await load({ ...common, ...bare, seconds }));
    results.ours.push(await load({ ...common, ...ours, seconds }));
  }
  return results;
}

function figuresOf(name: string, limit: number, { bare, ours }: { bare: LoadResult[]; ours: LoadResult[] }) {
  const of = (side: LoadResult[], key: keyof LoadResult): number => median(side.map((result) => result[key]));
  const throughput = { bareRps: of(bare, 'requestsPerSecond'), fhirsightRps: of(ours, 'requestsPerSecond') };
  const latency = { bareP99Ms: of(bare, 'p99Ms'), fhirsightP99Ms: of(ours, 'p99Ms') };
  return [
    atLeast(`${name} / bare, requests a second`, throughput.fhirsightRps / throughput.bareRps, limit, throughput),
    atMost(`${name} / bare, p99`, latency.fhirsightP99Ms / latency.bareP99Ms, 2, latency),
  ];
}

const data = await createTestDataDir();
const models = await copyModel(model);
await models.edit('manifest.json', (manifest) => {
  for (const service of manifest.cdsHooks) service.contributions = 0;
});
const server = await startFhirsightProcess({
  ...data.settings,
  MODELS_DIR: models.modelsDir,
  OPT_OUT_BY: 'consent,group',
});
try {
  const answers = await computable(server.url);
  const bare = await startBareServer(asOf, performerOf(answers));
  try {
    const records = await agreed(bare.url, answers);
    const predictions = predictBodies(records);
    const predicted = await interleaved(
      { url: bare.url, bodies: predictions },
      { url: `${server.url}/fhir/R4/Patient/$predict`, bodies: predictions },
      fhirJson,
    );
    const hooks = records.map((record, index) => JSON.stringify(hookBody(record, index)));
    const hooked = await interleaved(
      { url: bare.url, bodies: hooks },
      { url: `${server.url}/cds-services/${model}`, bodies: hooks },
      'application/json',
    );
    const bytes = (bodies: readonly string[]) => Math.round(median(bodies.map((body) => Buffer.byteLength(body))));
    report(
      'against-bare',
      {
        connections,
        rounds,
        seconds,
        patients: records.length,
        predictBytes: bytes(predictions),
        hookBytes: bytes(hooks),
      },
      [...figuresOf('$predict', 0.55, predicted), ...figuresOf('hook', 0.5, hooked)],
    );
  } finally {
    await bare.stop();
  }
} finally {
  await server.stop('SIGTERM');
  await data.remove();
  await models[Symbol.asyncDispose]();
}
