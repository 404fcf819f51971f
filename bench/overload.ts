/**
 * What does a server do with ten times as many calls as it can answer?
 *
 *     node bench/overload.ts [seconds]      # 30 by default
 *
 * First 32 callers ask for `$predict` (the record in the call, no contributions) as fast as they are answered: that is the
 * capacity. Then ten times as many calls a second are sent for a while, over as many connections as that takes, whether
 * they are answered or not. Figures: how long the 99th of 100 that were let in took, against the deadline of a CDS call; how long
 * the 99th refusal took against that; the memory at the end against the middle; and how long the first call after the flood
 * took to be answered, tries included, against two seconds. What was really offered stands beside them: the generator shares
 * the machine. Ends with 1 only where something failed.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import autocannon from 'autocannon';
import { startFhirsightProcess } from '../test/support/fhirsight-process.ts';
import { createTestDataDir } from '../test/support/test-data-dir.ts';
import { load, median } from './support/load.ts';
import { heldRecords, predictBody } from './support/records.ts';
import { atLeast, atMost, report } from './support/report.ts';

const [seconds = 30] = process.argv.slice(2).map(Number);
const deadlineMs = 500;
const recoveryMs = 2_000;
const asOf = new Date(Math.floor(Date.now() / 60_000) * 60_000);
const contentType = 'application/fhir+json';
const bodies = [...heldRecords(40)].map((record) => JSON.stringify(predictBody(record, asOf)));

interface Answered {
  readonly status: number;
  readonly ms: number;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
}

/** Sends so many calls a second for a while; abstentions are answers. */
async function flood(url: string, rate: number): Promise<{ answers: Answered[]; errors: number }> {
  const answers: Answered[] = [];
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon(
      {
        url,
        connections: 1_000,
        duration: seconds,
        overallRate: rate,
        method: 'POST',
        headers: { 'content-type': contentType },
        requests: bodies.map((body) => ({ body })),
      },
      (error: unknown, finished) => (error ? reject(error) : resolve(finished)),
    );
    running.on('response', (_client, status, _bytes, ms) => answers.push({ status, ms }));
  });
  return { answers, errors: result.errors };
}

const data = await createTestDataDir();
const server = await startFhirsightProcess({ ...data.settings });
try {
  const url = `${server.fhir}/Patient/$predict`;
  const answer = async (): Promise<number> =>
    (await fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body: bodies[0] ?? '' })).status;
  const scorable: string[] = [];
  for (const body of bodies) {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body });
    if (response.status === 200) scorable.push(body);
  }
  bodies.splice(0, bodies.length, ...scorable);
  await load({ url, contentType, bodies, connections: 32, seconds: 5 });
  const { requestsPerSecond: capacity } = await load({ url, contentType, bodies, connections: 32, seconds: 5 });

  const memory: number[] = [];
  const sampling = setInterval(() => memory.push(rssMb(server.child.pid ?? 0)), 500);
  const { answers, errors } = await flood(url, Math.round(10 * capacity));
  clearInterval(sampling);
  const endedMs = performance.now();
  while ((await answer()) !== 200) await wait(50);
  const recoveredMs = performance.now() - endedMs;

  const strange = answers.filter(({ status }) => status !== 200 && status !== 503);
  if (strange.length > 0) throw new Error(`${strange.length} answers were neither 200 nor 503: ${strange[0]?.status}`);
  const taken = answers.filter(({ status }) => status === 200).map(({ ms }) => ms);
  const refused = answers.filter(({ status }) => status === 503).map(({ ms }) => ms);
  const half = Math.floor(memory.length / 2);
  const [middle, end] = [median(memory.slice(half - 4, half + 4)), median(memory.slice(-8))];
  const setting = {
    seconds,
    capacityPerSecond: capacity,
    offeredPerSecond: answers.length / seconds,
    answeredPerSecond: taken.length / seconds,
    refused: refused.length,
    brokenConnections: errors,
  };
  report('overload', setting, [
    atMost('those let in, p99 / 500 ms', percentile(taken, 0.99) / deadlineMs, 1, {
      p50Ms: median(taken),
      p99Ms: percentile(taken, 0.99),
    }),
    atMost('those refused, p99 / 500 ms', percentile(refused, 0.99) / deadlineMs, 1, {
      p50Ms: median(refused),
      p99Ms: percentile(refused, 0.99),
    }),
    atLeast('answered a second under overload / capacity', taken.length / seconds / capacity, 0.3, {
      answered: taken.length / seconds,
      capacity,
    }),
    atMost('resident memory at the end / in the middle', end / middle, 1.1, { middleMb: middle, endMb: end }),
    atMost('first answer after it / 2 s', recoveredMs / recoveryMs, 1, { recoveredMs }),
  ]);
} finally {
  await server.stop('SIGTERM');
  await data.remove();
}
