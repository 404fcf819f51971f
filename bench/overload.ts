/**
 * What does a server do with ten times as many calls as it can answer?
 *
 *     node bench/overload.ts [seconds]      # 30 by default
 *
 * With `$predict` (the record in the call, no contributions), while a bedside asks ten times a second, and with CDS
 * Hooks calls (`patient-view`, all prefetched); of a model that takes some 20 ms a run, and of one that takes next to nothing,
 * whose capacity is that of the main thread. First some callers ask as fast as they are answered: that is the capacity.
 * Then ten times as many calls a second are sent for a while, whether they are answered or not. Figures: the 99th percentile
 * of those let in against their deadline (30 s for `$predict`, 500 ms for CDS Hooks, where a card that says that the score is
 * being computed counts as late), of the refused against 500 ms, of the bedside's calls against 500 ms; the memory at the end
 * against the middle; how long the first call after the flood took, tries included, against two seconds. What was really
 * offered stands beside them: the generator shares the machine. Ends with 1 only where something failed.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { type FhirsightProcess, startFhirsightProcess } from '../test/support/fhirsight-process.ts';
import { slowModelFolder } from '../test/support/slow-model.ts';
import { createTestDataDir } from '../test/support/test-data-dir.ts';
import { type Answered, type Flooded, flood } from './support/flood.ts';
import { load, median } from './support/load.ts';
import { heldRecords, hookBody, model, predictBody } from './support/records.ts';
import { atLeast, atMost, type Figure, report } from './support/report.ts';

const [seconds = 30] = process.argv.slice(2).map(Number);
const recoveryMs = 2_000;
const asOf = new Date(Math.floor(Date.now() / 60_000) * 60_000);
const records = [...heldRecords(40)];
const bedsideMs = 100;

/** What is asked for, and in which time. */
interface Kind {
  readonly name: string;
  readonly url: string;
  readonly contentType: string;
  readonly bodies: readonly string[];
  readonly deadlineMs: number;
  /** How many ask at once when the capacity is measured. */
  readonly callers: number;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
}

async function ask({ url, contentType }: Kind, body: string): Promise<Answered> {
  const started = performance.now();
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body });
  const text = await response.text();
  return { status: response.status, text, ms: performance.now() - started };
}

const isScore = ({ status, text }: Answered): boolean => status === 200 && !text.includes('is being computed');
const msOf = (answers: readonly Answered[]): number[] => answers.map(({ ms }) => ms);

/** What gives a score: an abstention is an answer, but costs less. A server that has just begun may be late once or twice. */
async function scorable(kind: Kind): Promise<Kind> {
  const bodies: string[] = [];
  for (const body of kind.bodies) {
    let answer = await ask(kind, body);
    for (let again = 0; again < 5 && answer.status === 200 && !isScore(answer); again++) answer = await ask(kind, body);
    if (isScore(answer)) bodies.push(body);
  }
  return { ...kind, bodies };
}

/** Asks again and again while the work goes on. */
async function beside<T>(kind: Kind | undefined, work: () => Promise<T>): Promise<{ found: T; answers: Answered[] }> {
  const asked: Promise<Answered>[] = [];
  const timer =
    kind && setInterval(() => asked.push(ask(kind, kind.bodies[asked.length % kind.bodies.length] ?? '')), bedsideMs);
  const found = await work();
  clearInterval(timer);
  return { found, answers: await Promise.all(asked) };
}

async function overload(server: FhirsightProcess, kind: Kind, bedside?: Kind): Promise<Figure[]> {
  const { name, url, contentType, bodies, deadlineMs, callers } = kind;
  await load({ url, contentType, bodies, connections: callers, seconds: 5 });
  const { requestsPerSecond: capacity } = await load({ url, contentType, bodies, connections: callers, seconds: 5 });
  const memory: number[] = [];
  const sampling = setInterval(() => memory.push(rssMb(server.child.pid ?? 0)), 500);
  let recoveredMs = Number.POSITIVE_INFINITY;
  const { found, answers: atBedside } = await beside(bedside, async () => {
    const flooding = flood({ url, contentType, bodies, rate: Math.round(10 * capacity), seconds, connections: 6_000 });
    await flooding.sent;
    clearInterval(sampling);
    recoveredMs = await recovered(kind);
    return await flooding.found;
  });
  return [
    ...figuresOf(name, found, { capacity, deadlineMs }),
    ...bedsideFigures(name, atBedside),
    memoryFigure(name, memory),
    atMost(`${name}: first answer after it / 2 s`, recoveredMs / recoveryMs, 1, { recoveredMs }),
  ];
}

/** How long it takes until a call is answered again, in milliseconds. */
async function recovered(kind: Kind): Promise<number> {
  const startedMs = performance.now();
  while ((await ask(kind, kind.bodies[0] ?? '')).status !== 200) await wait(50);
  return performance.now() - startedMs;
}

function figuresOf(
  name: string,
  { answers, sent, unsent, brokenConnections }: Flooded,
  { capacity, deadlineMs }: { readonly capacity: number; readonly deadlineMs: number },
): Figure[] {
  const strange = answers.find(({ status }) => status !== 200 && status !== 503);
  if (strange !== undefined) throw new Error(`an answer was neither 200 nor 503: ${strange.status}`);
  const letIn = answers.filter(({ status }) => status === 200);
  const [taken, refused] = [letIn.filter(isScore), answers.filter(({ status }) => status === 503)];
  const figure = (what: string, of: readonly Answered[], withinMs: number): Figure =>
    atMost(`${name}: ${what}, p99 / ${withinMs} ms`, percentile(msOf(of), 0.99) / withinMs, 1, {
      p50Ms: median(msOf(of)),
      p99Ms: percentile(msOf(of), 0.99),
    });
  return [
    figure('those let in', letIn, deadlineMs),
    atMost(`${name}: late / let in`, 1 - taken.length / letIn.length, 0.01, { letIn: letIn.length }),
    figure('those refused', refused, 500),
    atMost(
      `${name}: calls without an answer and broken connections / calls`,
      (sent - answers.length + brokenConnections) / sent,
      0,
      {
        sent,
        answers: answers.length,
        brokenConnections,
      },
    ),
    atLeast(`${name}: scores a second under overload / capacity`, taken.length / seconds / capacity, 0.3, {
      scores: taken.length / seconds,
      capacity,
      sentASecond: sent / seconds,
      unsent,
    }),
  ];
}

function bedsideFigures(name: string, answers: readonly Answered[]): Figure[] {
  if (answers.length === 0) return [];
  return [
    atMost(`${name}, at the bedside beside it: p99 / 500 ms`, percentile(msOf(answers), 0.99) / 500, 1, {
      p50Ms: median(msOf(answers)),
      p99Ms: percentile(msOf(answers), 0.99),
    }),
    atLeast(
      `${name}, at the bedside beside it: scores / calls`,
      answers.filter(isScore).length / answers.length,
      0.99,
      {
        calls: answers.length,
        refused: answers.filter(({ status }) => status === 503).length,
      },
    ),
  ];
}

function memoryFigure(name: string, memory: readonly number[]): Figure {
  const half = Math.floor(memory.length / 2);
  const [middle, end] = [median(memory.slice(half - 4, half + 4)), median(memory.slice(-8))];
  return atMost(`${name}: resident memory at the end / in the middle`, end / middle, 1.1, {
    middleMb: middle,
    endMb: end,
  });
}

/** The calls of a server about its one model, as an operation and as a hook. */
async function kinds(server: FhirsightProcess, of: string, callers: number): Promise<{ operation: Kind; hooks: Kind }> {
  return {
    operation: await scorable({
      name: `${of}, $predict`,
      url: `${server.fhir}/Patient/$predict`,
      contentType: 'application/fhir+json',
      bodies: records.map((record) => JSON.stringify(predictBody(record, asOf))),
      deadlineMs: 30_000,
      callers,
    }),
    hooks: await scorable({
      name: `${of}, CDS Hooks`,
      url: `${server.url}/cds-services/${model}`,
      contentType: 'application/json',
      bodies: records.map((record, index) => JSON.stringify(hookBody(record, index))),
      deadlineMs: 500,
      callers,
    }),
  };
}

async function served(
  of: string,
  callers: number,
  settings: Readonly<Record<string, string>>,
  measure: (server: FhirsightProcess, kinds: { operation: Kind; hooks: Kind }) => Promise<Figure[]>,
): Promise<Figure[]> {
  const data = await createTestDataDir();
  const server = await startFhirsightProcess({ ...data.settings, ...settings });
  try {
    return await measure(server, await kinds(server, of, callers));
  } finally {
    await server.stop('SIGTERM');
    await data.remove();
  }
}

await using heavy = await slowModelFolder({ size: 400 });
report('overload', { seconds }, [
  ...(await served('heavy model', 8, { MODELS_DIR: heavy.modelsDir }, async (server, { operation, hooks }) => [
    ...(await overload(server, operation)),
    ...(await overload(server, hooks)),
  ])),
  ...(await served('light model', 32, {}, async (server, { operation, hooks }) => [
    ...(await overload(server, operation, hooks)),
    ...(await overload(server, hooks)),
  ])),
]);
