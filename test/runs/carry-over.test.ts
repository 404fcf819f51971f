import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/platform/events.ts';
import type { CohortSource } from '../../src/runs/cohort-source.ts';
import { expandRun } from '../../src/runs/expand-run.ts';
import type { FoundSubject } from '../../src/runs/member-table.ts';
import { addMembers, type MemberResult, pendingMembers, recordMembers } from '../../src/runs/member-table.ts';
import { openRuns, type Runs } from '../../src/runs/open-runs.ts';
import type { Run } from '../../src/runs/run.ts';
import { moveRun, readRun } from '../../src/runs/run-table.ts';
import { testCipher } from '../support/test-cipher.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

const fhirBase = 'http://ehr.example.org/fhir';
const cohort = { search: 'ImagingStudy?modality=CR', since: 'P1D' } as const;

let test: TestDatabase;
let now = new Date('2026-11-20T01:30:00Z');
/** What the record source finds in the next run. */
let found: readonly FoundSubject[] = [];
/** From when on it was asked. */
let asked: (string | undefined)[] = [];
let events: LogEvent[] = [];
let runs: Runs;
const cohorts: CohortSource = {
  check: async () => undefined,
  async *read(_cohort, _asOf, _signal, changedSince) {
    asked.push(changedSince?.toISOString());
    yield found;
  },
};

beforeAll(async () => {
  test = await openTestDatabase();
  runs = openRuns({
    database: test.database,
    tenant: 'test',
    fhirBase,
    clock: { now: () => now },
    event: () => undefined,
    predict: async () => Promise.reject(new Error('nobody asks')),
    recordsOf: async () => undefined,
    findModel: (id) => ({ id, version: '1.0.0', digest: 'd' }),
    checkWriteBack: () => undefined,
    checkCohort: () => undefined,
    timeZone: 'UTC',
    cohorts,
    cipher: testCipher,
    schedules: [],
    every: () => () => undefined,
    chunkSize: 10,
    sliceSizeOf: () => 2,
    overlap: false,
    memberTimeoutMs: 1_000,
    unreachableRetryMs: [],
    unreachableAttempts: 1,
    alone: false,
    pollMs: 1_000,
    leaseMs: 1_000,
  });
});
afterAll(async () => {
  await runs.close();
  await test.close();
});

const study = (subject: string, id: string): FoundSubject => ({ subject, focus: `ImagingStudy/${id}` });

/** A run of a schedule that is made at an instant and reads its cohort; what came of its members is told, by study. */
async function night(
  schedule: string,
  at: string,
  outcomes: Readonly<Record<string, Omit<MemberResult, 'ordinal'>>> = {},
  end: 'finished' | 'failed' | 'running' = 'finished',
): Promise<Run> {
  now = new Date(at);
  await runs.prepare();
  const origin = { schedule, timeZone: 'Europe/Berlin' };
  const made = await test.database.transaction((sql) => runs.createInside(sql, { model: 'chest', cohort }, origin));
  if (made === undefined) throw new Error('no run was made');
  const reading = {
    cipher: testCipher,
    signal: new AbortController().signal,
    now: () => now,
    event: (one: LogEvent) => events.push(one),
  };
  await expandRun(test.database, { enqueue: async () => undefined }, cohorts, made, reading);
  const members = await pendingMembers(test.database, made.id, { from: 1, to: 1_000 });
  const results = members.map(({ ordinal, focus = '' }) => ({ ...(outcomes[focus] ?? scored), ordinal }));
  if (end !== 'running') {
    await recordMembers(test.database, made.id, results);
    const reason = end === 'failed' ? { code: 'RECORD_UNREACHABLE', message: 'down' } : undefined;
    await moveRun(test.database, made.id, ['running', 'finished'], end, now, reason);
  }
  return await readRun(test.database, 'test', made.id);
}

const scored = { state: 'scored', score: 0.5, outcome: 'finding', reasons: [] } as const;
const incomplete = { state: 'abstained', reasons: ['insufficient-data:radiograph:study-incomplete'] } as const;
const away = { state: 'failed', reasons: [], error: { code: 'IMAGES_UNREACHABLE', message: 'It hangs.' } } as const;
const damaged = { state: 'abstained', reasons: ['insufficient-data:radiograph:image-damaged'] } as const;
const unknown = { state: 'failed', reasons: [], error: { code: 'SUBJECT_UNKNOWN', message: 'Nobody.' } } as const;

async function studiesOf(run: Run): Promise<string[]> {
  const members = await runs.members(run.id, { sort: 'subject' }, 1_000);
  return members.map(({ subject, focus }) => `${subject} ${focus}`);
}

describe('the runs of a schedule over studies', () => {
  it('follow each other: one takes again what the one before found incomplete or could not reach, and nothing else', async () => {
    found = [study('1', 'a'), study('1', 'b'), study('2', 'c'), study('2', 'd'), study('3', 'e')];
    const first = await night('follow', '2026-11-20T01:30:00Z', {
      'ImagingStudy/a': incomplete,
      'ImagingStudy/c': away,
      'ImagingStudy/d': damaged,
      'ImagingStudy/e': unknown,
    });
    expect(first.follows).toBeUndefined();
    found = [study('9', 'new'), study('2', 'c')];
    const second = await night('follow', '2026-11-21T01:30:00Z');
    expect(second.follows).toBe(first.id);
    expect(await studiesOf(second)).toEqual(['1 ImagingStudy/a', '2 ImagingStudy/c', '9 ImagingStudy/new']);
    found = [];
    expect(await studiesOf(await night('follow', '2026-11-22T01:30:00Z'))).toEqual([]);
  });

  it('ask for what changed since the last that finished, however late they are and whatever failed between', async () => {
    found = [];
    asked = [];
    await night('late', '2026-11-20T01:30:00Z');
    await night('late', '2026-11-21T01:30:00Z', {}, 'failed');
    await night('late', '2026-11-24T09:00:00Z');
    await night('late', '2026-11-25T01:30:00Z');
    expect(asked).toEqual([
      '2026-11-19T01:30:00.000Z',
      // A failed run, or one that goes on still, is no end of anything.
      '2026-11-20T01:20:00.000Z',
      '2026-11-20T01:20:00.000Z',
      '2026-11-24T01:30:00.000Z',
    ]);
  });

  it('do not begin where a run was made by a clock that was ahead: gaps are closed, and what was incomplete is taken again', async () => {
    found = [study('1', 'a')];
    const first = await night('ahead', '2026-11-20T01:30:00Z', { 'ImagingStudy/a': incomplete });
    found = [];
    await night('ahead', '2027-11-20T01:30:00Z');
    const next = await night('ahead', '2026-11-23T01:30:00Z', { 'ImagingStudy/a': incomplete });
    expect(next).toMatchObject({ follows: first.id, changedSince: new Date('2026-11-20T01:20:00Z') });
    expect(await studiesOf(next)).toEqual(['1 ImagingStudy/a']);
    // The clock of another server, a little ahead, is none that is wrong.
    const little = await night('ahead', '2026-11-24T01:34:00Z');
    expect((await night('ahead', '2026-11-24T01:30:00Z')).follows).toBe(little.id);
  });

  it('are those of one schedule and one model: another one begins with its own day', async () => {
    found = [study('1', 'a')];
    await night('one', '2026-11-20T01:30:00Z', { 'ImagingStudy/a': incomplete });
    found = [];
    const other = await night('other', '2026-11-23T01:30:00Z');
    expect(other).toMatchObject({ changedSince: new Date('2026-11-22T01:30:00Z') });
    expect(other.follows).toBeUndefined();
    expect(await studiesOf(other)).toEqual([]);
  });

  it('leave a study that is incomplete for a fortnight, until it changes at its server, and say how many they left', async () => {
    found = [study('1', 'never')];
    const waits = { 'ImagingStudy/never': incomplete };
    const members: number[] = [];
    events = [];
    for (let day = 1; day <= 17; day++) {
      const run = await night('waits', `2026-12-${String(day).padStart(2, '0')}T01:30:00Z`, waits);
      members.push((await studiesOf(run)).length);
      found = [];
    }
    expect(members).toEqual([...Array(15).fill(1), 0, 0]);
    // Once: the run behind has nothing to leave.
    expect(events).toEqual([{ name: 'run.given-up', run: expect.any(String), members: 1 }]);
  });

  it('take a study again for hours, however often they run: its images may come late', async () => {
    found = [study('1', 'late')];
    const late = { 'ImagingStudy/late': incomplete };
    for (let minute = 0; minute < 120; minute += 5) {
      const at = new Date(Date.UTC(2026, 11, 1, 8, minute)).toISOString();
      expect(await studiesOf(await night('often', at, late)), at).toEqual(['1 ImagingStudy/late']);
      found = [];
    }
  });

  it('take a study a dozen times at least, however seldom they run', async () => {
    found = [study('1', 'seldom')];
    const members: number[] = [];
    for (let week = 0; week < 14; week++) {
      const at = new Date(Date.UTC(2026, 0, 1 + 7 * week)).toISOString();
      members.push((await studiesOf(await night('seldom', at, { 'ImagingStudy/seldom': incomplete }))).length);
      found = [];
    }
    expect(members).toEqual([...Array(13).fill(1), 0]);
  });

  it('take a forgotten subject no more, and name none of its studies', async () => {
    found = [study('7', 'gone')];
    const first = await night('forget', '2026-11-20T01:30:00Z', { 'ImagingStudy/gone': incomplete });
    await test.database.query("update run_members set subject_id = 'forgotten-1', focus = '' where run = $1", [
      first.id,
    ]);
    found = [];
    expect(await studiesOf(await night('forget', '2026-11-21T01:30:00Z'))).toEqual([]);
  });

  it('have each study once, whoever adds it how often, and one subject with as many studies as were found', async () => {
    found = [study('1', 'a'), study('1', 'b'), study('1', 'a')];
    const run = await night('once', '2026-11-20T01:30:00Z', {}, 'running');
    await test.database.query("update runs set state = 'expanding' where id = $1", [run.id]);
    await addMembers(test.database, run.id, [study('1', 'b'), { ...study('1', 'a'), waits: 3 }, { subject: '1' }]);
    expect(await studiesOf(run)).toEqual(['1 undefined', '1 ImagingStudy/a', '1 ImagingStudy/b']);
    const { rows } = await test.database.query('select 1 from run_members where run = $1 and waits > 0', [run.id]);
    expect(rows).toEqual([]);
  });
});
