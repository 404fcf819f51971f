import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import type { FhirsightProcess } from '../fhirsight-process.ts';
import { answerFault, insideIn, secretIn } from './answer-fault.ts';
import type { FuzzCall } from './fuzz-call.ts';
import { rawBytes } from './raw-bytes.ts';
import { type FuzzAnswer, sendBytes, sendCall } from './send-call.ts';

export interface FuzzOptions {
  /** The first call; 0 by default. */
  readonly from?: number;
  /** Names the run: the same seed sends the same requests. */
  readonly seed: number;
  readonly requests: number;
  /** The call that a seed stands for. */
  readonly callOf: (seed: number) => FuzzCall | Promise<FuzzCall>;
  /** What is wrong with an answer beside what is wrong with any. */
  readonly faultOf?: (call: FuzzCall, answer: FuzzAnswer) => string | undefined;
  /** What no answer may hold. */
  readonly secrets: readonly string[];
}

export interface FuzzReport {
  readonly seed: number;
  readonly requests: number;
  /** Different (route, method, status). */
  readonly distinctOutcomes: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly routesReached: number;
  /** Of the server's resident memory after a tenth and after all requests. */
  readonly rssMb: { readonly early: number; readonly late: number };
  readonly slowestHealthMs: number;
  /** Of all answers, with its call. */
  readonly slowest: { readonly ms: number; readonly call: string };
  readonly seconds: number;
  /** Of the server's processor time. */
  readonly cpuSeconds: number;
  /** The first of them, each with the seed of its call. */
  readonly faults: readonly string[];
}

const connections = 8;
const healthEvery = 250;
const rawEvery = 50;
const faultsKept = 20;

/** Sends the calls of a seed to a running server, a few at a time, and looks at every answer. */
export async function runFuzz(server: FhirsightProcess, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, requests, callOf, faultOf = () => undefined, secrets } = options;
  const origin = new URL(server.url);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const statuses: Record<string, number> = {};
  const outcomes = new Set<string>();
  const reached = new Set<string>();
  const faults: string[] = [];
  const startedMs = performance.now();
  const cpuBefore = cpuSeconds(server);
  let next = options.from ?? 0;
  let early = 0;
  let slowestHealthMs = 0;
  let slowest = { ms: 0, call: '' };
  const found = (at: number, text: string): void => {
    if (faults.length < faultsKept) faults.push(`${at}: ${text}`);
  };

  const one = async (index: number): Promise<string> => {
    const own = (seed + Math.imul(index, 0x9e3779b1)) >>> 0;
    const call = await callOf(own);
    if (index % rawEvery === 0) {
      const bytes = rawBytes(call, own);
      const text = (await sendBytes(origin, bytes)).toString('latin1').replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 'closed';
      const leak = secretIn(text, secrets) ?? insideIn(text);
      if (leak !== undefined) found(own, `raw ${call.method} ${call.target} gives away ${leak}`);
      if (/^5(?!0[34])/.test(status)) found(own, `raw ${call.method} ${call.target} is ${status}`);
      if (status !== 'closed' && bytes.toString('latin1').startsWith(`${call.method} ${call.target} `)) {
        const fault = faultOf(call, { status: Number(status), headers: {}, body: Buffer.from(bodyIn(text), 'latin1') });
        if (fault !== undefined) found(own, `raw ${call.method} ${call.target}: ${fault}`);
      }
      statuses[status] = (statuses[status] ?? 0) + 1;
      return `raw ${own} ${call.method} ${call.route}`;
    }
    const answer = await sendCall(origin, agent, call);
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    outcomes.add(`${call.route} ${call.method} ${answer.status}`);
    if (answer.status !== 403) reached.add(call.route);
    const fault = answerFault(call, answer, secrets) ?? faultOf(call, answer);
    if (fault !== undefined)
      found(
        own,
        `${call.method} ${call.target.slice(0, 200)} ${JSON.stringify(call.headers).slice(0, 300)}: ${fault}
      ${call.body?.toString('utf8').slice(0, 600)}`,
      );
    return `${own} ${call.method} ${call.route} ${answer.status}`;
  };
  server.child.once('exit', (code, signal) => {
    faults.unshift(`the server ended with ${code ?? signal}; it said last: ${server.output().slice(-3_000)}`);
  });
  const worker = async (): Promise<void> => {
    for (let index = next++; index < requests && faults.length < faultsKept; index = next++) {
      if (index === Math.floor(requests / 10)) early = rssMb(server);
      if (index % healthEvery === 0) slowestHealthMs = Math.max(slowestHealthMs, await healthMs(server.url));
      const sentMs = performance.now();
      const call = await one(index).catch((error: unknown) => {
        found(index, `call ${index}: ${String(error)}`);
        return `call ${index}`;
      });
      const ms = Math.round(performance.now() - sentMs);
      if (ms > slowest.ms) slowest = { ms, call };
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return {
    seed,
    requests: Math.min(next, requests),
    distinctOutcomes: outcomes.size,
    statuses,
    routesReached: reached.size,
    rssMb: { early, late: rssMb(server) },
    slowestHealthMs: Math.round(slowestHealthMs),
    slowest,
    seconds: Math.round((performance.now() - startedMs) / 1_000),
    cpuSeconds: cpuSeconds(server) - cpuBefore,
    faults,
  };
}

/** What follows the headers, as it came. */
function bodyIn(text: string): string {
  const at = text.indexOf('\r\n\r\n');
  return at < 0 ? '' : text.slice(at + 4);
}

async function healthMs(url: string): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(`${url}/health/live`);
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`/health/live answers ${response.status}`);
  return performance.now() - startedMs;
}

function rssMb({ child }: FhirsightProcess): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1_000);
}

/** Seconds of both kinds; the kernel counts them in hundredths. */
function cpuSeconds({ child }: FhirsightProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
