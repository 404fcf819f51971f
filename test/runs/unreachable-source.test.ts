import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PredictionError } from '../../src/platform/errors.ts';
import type { RunsParts } from '../../src/runs/open-runs.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { ended, listedCohort, membersOf, openTestRuns } from '../support/test-runs.ts';

const patients = Array.from({ length: 21 }, (_, index) => `p${String(index).padStart(2, '0')}`);
const request = { model: 'prevent-base', cohort: { all: true } as const, writeBack: false };

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight();
  await server.house.repository.writeAll(patients.flatMap((id) => scorablePatient(id)));
});
afterAll(() => server.close());

/** Runs over chunks of ten and a last one of a single member, about a source that `isDown` for some. */
function open(isDown: (subject: string, calls: number) => boolean, changes: Partial<RunsParts> = {}) {
  let calls = 0;
  const runs = openTestRuns(server.house, {
    cohorts: listedCohort(patients),
    predict: async (asked, parts) => {
      calls += 1;
      if (isDown(asked.subject, calls)) throw new PredictionError('RECORD_UNREACHABLE', 'It hangs\0.');
      return await server.house.predict(asked, parts);
    },
    ...changes,
  });
  return { runs, [Symbol.asyncDispose]: () => runs.close() };
}

describe('a record source that is down', { timeout: 60_000 }, () => {
  it('for seconds fails nobody: the run waits, and goes on with everybody', async () => {
    await using opened = open((_, calls) => calls >= 6 && calls < 40);
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const { run: done, tally } = await ended(opened.runs, run.id);
    expect(done.state).toBe('finished');
    expect(tally).toMatchObject({ scored: 21, failed: 0 });
  });

  it('for long fails the run, not its members, and the run can be resumed', async () => {
    let down = true;
    await using opened = open(() => down, { unreachableAttempts: 2 });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const failed = await ended(opened.runs, run.id);
    expect(failed.run).toMatchObject({ state: 'failed', reason: { code: 'RECORD_UNREACHABLE' } });
    expect(failed.tally).toMatchObject({ scored: 0 });
    expect(failed.tally.failed).toBeLessThanOrEqual(1);
    down = false;
    await opened.runs.resume(run.id);
    expect((await ended(opened.runs, run.id)).tally).toMatchObject({ scored: 21, failed: 0, pending: 0 });
  });
});

describe.each(['ENGINE_UNAVAILABLE', 'OVERLOADED', 'DEADLINE_EXCEEDED'] as const)(
  'a model that is %s',
  { timeout: 60_000 },
  (code) => {
    it('for a while fails no member: the run waits, and goes on with everybody', async () => {
      let calls = 0;
      await using opened = open(() => false, {
        predict: async (asked, parts) => {
          calls += 1;
          if (calls >= 6 && calls < 20) throw new PredictionError(code, 'not now');
          return await server.house.predict(asked, parts);
        },
      });
      const { run } = await opened.runs.create(request, {});
      await opened.runs.start();
      const { run: done, tally } = await ended(opened.runs, run.id);
      expect(done.state).toBe('finished');
      expect(tally).toMatchObject({ scored: 21, failed: 0 });
    });
  },
);

describe('a member whose record cannot be reached', { timeout: 60_000 }, () => {
  it('never stops the run, also as the only one of its chunk or of what is left of it', async () => {
    await using opened = open((subject) => ['p05', 'p06', 'p20'].includes(subject), { unreachableAttempts: 1 });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const { run: done, tally } = await ended(opened.runs, run.id);
    expect(done.state).toBe('finished');
    expect(tally).toMatchObject({ scored: 18, failed: 3, failedByCode: { RECORD_UNREACHABLE: 3 } });
  });

  it('is tried again by a resume of the finished run, and only that one', async () => {
    let down = true;
    const gone = [...patients, 'nobody'];
    await using opened = open((subject) => down && subject === 'p05', { cohorts: listedCohort(gone) });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    expect((await ended(opened.runs, run.id)).tally).toMatchObject({ scored: 20, failed: 2 });
    down = false;
    expect((await opened.runs.resume(run.id)).state).toBe('running');
    const { run: done, tally } = await ended(opened.runs, run.id);
    expect(done.state).toBe('finished');
    expect(tally).toMatchObject({ pending: 0, scored: 21, failed: 1, failedByCode: { SUBJECT_UNKNOWN: 1 } });
    await expect(opened.runs.resume(run.id)).rejects.toMatchObject({ code: 'RUN_CONFLICT' });
    expect((await opened.runs.read(run.id)).run.state).toBe('finished');
  });
});

describe('a text with a NUL, which the database cannot keep', () => {
  it('from another server stops no run, and never becomes the id of somebody else', async () => {
    const cohorts: RunsParts['cohorts'] = {
      check: async () => undefined,
      async *read() {
        yield [{ subject: 'p01\0' }, { subject: 'p02' }, { subject: 'x', error: { code: 'X', message: 'bad\0' } }];
      },
    };
    await using opened = open((subject) => subject === 'p02', { cohorts, unreachableAttempts: 1 });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    expect((await ended(opened.runs, run.id)).tally).toMatchObject({ scored: 0, failed: 3 });
    const members = await membersOf(opened.runs, run.id);
    expect([...members.keys()].sort()).toEqual(['p01\uFFFD', 'p02', 'x']);
    expect(members.get('p02')?.error?.message).toBe('It hangs\uFFFD.');
  });
});
