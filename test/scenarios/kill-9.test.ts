import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { afterAll, expect, it } from 'vitest';
import { type FhirsightProcess, root, startFhirsightProcess } from '../support/fhirsight-process.ts';
import { killsOfServer, mostKills } from '../support/kills-of-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { someModels } from '../support/some-models.ts';
import { createTestDataDir } from '../support/test-data-dir.ts';

const kills = killsOfServer();
const killsInside = kills / 4;
const entriesPerTransaction = 40;
const fhirJson = { 'content-type': 'application/fhir+json' };
const marked = { nodeOptions: ['--import', path.join(root, 'test/support/mark-statements.ts')] };

const data = await createTestDataDir();
const settings = { ...data.settings, MODELS_DIR: await someModels(['prevent-base']) };
afterAll(() => data.remove());

interface Acknowledged {
  readonly single: Set<string>;
  readonly transactions: Set<string>;
  /** Sent, never answered: may be there whole or not at all. */
  readonly unanswered: Set<string>;
}

function observation(id: string): Resource {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { text: 'synthetic' },
    subject: { reference: 'Patient/kill' },
    effectiveDateTime: '2026-01-01T00:00:00Z',
  };
}

function transaction(name: string): Bundle {
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: Array.from({ length: entriesPerTransaction }, (_, index) => ({
      resource: observation(`${name}-${index}`),
      request: { method: 'PUT' as const, url: `Observation/${name}-${index}` },
    })),
  };
}

/** Writes one resource after another until the server is gone. */
async function writeSingles(server: FhirsightProcess, round: number, known: Acknowledged): Promise<void> {
  for (let index = 0; ; index++) {
    const id = `single-${round}-${index}`;
    const answer = await send(`${server.fhir}/Observation/${id}`, 'PUT', observation(id));
    if (answer === undefined) return;
    if (answer !== 201) throw new Error(`PUT was answered with ${answer}`);
    known.single.add(id);
  }
}

async function writeTransactions(
  server: FhirsightProcess,
  round: number,
  known: Acknowledged,
  begun: () => void,
): Promise<void> {
  for (let index = 0; ; index++) {
    const name = `tx-${round}-${index}`;
    known.unanswered.add(name);
    begun();
    const answer = await send(server.fhir, 'POST', transaction(name));
    if (answer === undefined) return;
    if (answer !== 200) throw new Error(`a transaction was answered with ${answer}`);
    known.unanswered.delete(name);
    known.transactions.add(name);
  }
}

/** The status of a fully received answer, or undefined where the server was killed. */
async function send(url: string, method: string, body: Resource): Promise<number | undefined> {
  try {
    const headers = { ...fhirJson, prefer: 'return=minimal' };
    const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** True if the last thing that the server's database was told lies between the begin of a transaction and its end. */
function diedInsideTransaction(output: string): boolean {
  const marks = [...output.matchAll(/«(\w+)»/g)].map(([, mark]) => mark);
  const ended = Math.max(marks.lastIndexOf('commit'), marks.lastIndexOf('rollback'));
  return marks.slice(ended + 1).filter((mark) => mark === 's').length > 1 && marks.lastIndexOf('begin') > ended;
}

/** One life of the server: writes without pause, killed at a seeded moment. @returns whether a transaction was open then */
async function liveUntilKilled(round: number, known: Acknowledged, random: () => number): Promise<boolean> {
  const server = await startFhirsightProcess(settings, marked);
  const wanted = 1 + Math.floor(random() * 4);
  const delayMs = random() * 60;
  let begun = 0;
  let killed: Promise<unknown> | undefined;
  const countTransaction = (): void => {
    begun += 1;
    if (begun === wanted) killed = wait(delayMs).then(() => server.stop('SIGKILL'));
  };
  await Promise.all([writeSingles(server, round, known), writeTransactions(server, round, known, countTransaction)]);
  await killed;
  return diedInsideTransaction(server.output());
}

async function storedObservations(server: FhirsightProcess): Promise<Set<string>> {
  const found = new Set<string>();
  let next: string | undefined = `${server.fhir}/Observation?patient=kill&_count=1000`;
  while (next !== undefined) {
    const page = (await (await fetch(next)).json()) as Bundle;
    for (const { resource } of page.entry ?? []) if (resource?.id !== undefined) found.add(resource.id);
    next = page.link?.find(({ relation }) => relation === 'next')?.url;
  }
  return found;
}

it(`keeps every acknowledged write and no half transaction through ${kills} kill -9, many of them inside a transaction`, async () => {
  const random = seededRandom(20_261_122);
  const known: Acknowledged = { single: new Set(), transactions: new Set(), unanswered: new Set() };
  let insideTransaction = 0;
  for (let round = 0; round < kills || (insideTransaction < killsInside && round < mostKills); round++) {
    if (await liveUntilKilled(round, known, random)) insideTransaction += 1;
  }
  expect(insideTransaction).toBeGreaterThanOrEqual(killsInside);
  expect(known.single.size).toBeGreaterThan(kills);
  expect(known.transactions.size).toBeGreaterThan(kills / 2);
  expect(known.unanswered.size).toBeGreaterThanOrEqual(killsInside);

  const server = await startFhirsightProcess(settings);
  const found = await storedObservations(server);
  expect([...known.single].filter((id) => !found.has(id))).toEqual([]);
  const kept = (name: string): number =>
    Array.from({ length: entriesPerTransaction }, (_, index) => `${name}-${index}`).filter((id) => found.has(id))
      .length;
  expect([...known.transactions].filter((name) => kept(name) !== entriesPerTransaction)).toEqual([]);
  expect([...known.unanswered].filter((name) => ![0, entriesPerTransaction].includes(kept(name)))).toEqual([]);
  const [last = ''] = [...known.single].slice(-1);
  const version = await fetch(`${server.fhir}/Observation/${last}/_history/1`);
  expect(version.status).toBe(200);
  expect((await server.stop('SIGTERM')).code).toBe(0);
}, 300_000);
