import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PredictionError } from '../../src/platform/errors.ts';
import { createValuesCipher, parseKeys } from '../../src/platform/values-cipher.ts';
import type { PredictionRequest } from '../../src/prediction/prediction-request.ts';
import type { RunsParts } from '../../src/runs/open-runs.ts';
import { sealClearCohorts } from '../../src/runs/sealed-cohort.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { testCipher } from '../support/test-cipher.ts';
import { ended, listedCohort, membersOf, openTestRuns, otherBase } from '../support/test-runs.ts';

const patients = Array.from({ length: 30 }, (_, index) => `p${String(index).padStart(2, '0')}`);
const request = { model: 'prevent-base', cohort: { all: true } as const };

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight();
  await server.house.repository.writeAll(patients.flatMap((id) => scorablePatient(id)));
});
afterAll(() => server.close());

/** Runs that end with the test. */
let overlap = false;
/** Whether the runs of a group of tests begin a slice while the one before is written. */
function overlapping(overlaps: boolean): void {
  beforeAll(() => {
    overlap = overlaps;
  });
  afterAll(() => {
    overlap = false;
  });
}

function open(changes: Partial<RunsParts> = {}) {
  const runs = openTestRuns(server.house, { cohorts: listedCohort(patients), overlap, ...changes });
  return { runs, [Symbol.asyncDispose]: () => runs.close() };
}

it('a run that may not write its results is refused before anything of it is kept', async () => {
  const refusal = new PredictionError('DEMONSTRATION_ONLY', 'not here');
  await using opened = open({
    checkWriteBack: () => {
      throw refusal;
    },
  });
  const known = async () => (await opened.runs.list(100)).map(({ run }) => run.id);
  const before = await known();
  await expect(opened.runs.create(request, {})).rejects.toBe(refusal);
  expect(await known()).toEqual(before);
});

const predictOr =
  (fail: (request: PredictionRequest) => Error | undefined): RunsParts['predict'] =>
  async (asked, parts) => {
    const error = fail(asked);
    if (error !== undefined) throw error;
    return await server.house.predict(asked, parts);
  };

describe.each([false, true])('a cohort run, a slice begun while the one before is written: %s', (overlaps) => {
  overlapping(overlaps);

  it('predicts about every member once, with the as-of of the run, and keeps what came of each', async () => {
    const asked: PredictionRequest[] = [];
    await using opened = open({ predict: predictOr((one) => void asked.push(one)) });
    const { run } = await opened.runs.create(request, { requester: 'test' });
    await opened.runs.start();
    const { tally, pace } = await ended(opened.runs, run.id);
    expect(tally).toMatchObject({ pending: 0, scored: 30, abstained: 0, failed: 0, written: 30 });
    expect(pace?.perSecond).toBeGreaterThan(0);
    expect(asked.map(({ subject }) => subject).sort()).toEqual(patients);
    expect(new Set(asked.map(({ asOf }) => asOf?.toISOString()))).toEqual(new Set([run.asOf.toISOString()]));
    expect(asked[0]).toMatchObject({ entrance: 'cohort', caller: { run: run.id, client: 'test' }, writeBack: true });
    const member = (await membersOf(opened.runs, run.id)).get('p00');
    // The time of the member is over.
    const { signal: _signal, givenUp: _givenUp, ...again } = asked[0] as PredictionRequest;
    const outcome = await server.house.predict({ ...again, subject: 'p00' });
    if (outcome.state !== 'scored') throw new Error('not scored');
    expect(member).toMatchObject({ state: 'scored', outcome: 'total-cvd-10y', result: outcome.identifier });
    expect(member?.score).toBe(outcome.scores.get('total-cvd-10y'));
    const id = outcome.resource?.id;
    expect(member?.resource).toBe(id === undefined ? undefined : `RiskAssessment/${id}`);
  });

  it('of nobody is finished at once', async () => {
    await using opened = open({ cohorts: listedCohort([]) });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const report = await ended(opened.runs, run.id);
    expect(report).toMatchObject({ run: { state: 'finished', members: 0 }, tally: { pending: 0, scored: 0 } });
  });

  it('has failed members where patients do not exist, and each patient once however often the cohort names it', async () => {
    await using opened = open({ cohorts: listedCohort(['p01', 'nobody', 'p01', 'p02', 'nobody'], 2) });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const { tally } = await ended(opened.runs, run.id);
    expect(tally).toMatchObject({ scored: 2, failed: 1, failedByCode: { SUBJECT_UNKNOWN: 1 } });
    expect((await membersOf(opened.runs, run.id)).get('nobody')?.error?.code).toBe('SUBJECT_UNKNOWN');
  });

  it('goes on where a model fails half way, and where the server has a bug about one member', async () => {
    await using opened = open({
      predict: predictOr(({ subject }) => {
        if (subject >= 'p15') return new PredictionError('INFERENCE_FAILED', 'The engine failed.');
        return subject === 'p03' ? new TypeError('Zzyzxfamily is not a function') : undefined;
      }),
    });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const report = await ended(opened.runs, run.id);
    expect(report.run.state).toBe('finished');
    expect(report.tally).toMatchObject({
      scored: 14,
      failed: 16,
      failedByCode: { INFERENCE_FAILED: 15, INTERNAL: 1 },
    });
    const broken = (await membersOf(opened.runs, run.id)).get('p03');
    expect(broken?.error).toEqual({ code: 'INTERNAL', message: expect.not.stringContaining('Zzyzxfamily') });
  });

  it('tries a record that cannot be reached a few times, and then fails that member only', async () => {
    const tries = new Map<string, number>();
    await using opened = open({
      predict: predictOr(({ subject }) => {
        const before = tries.get(subject) ?? 0;
        tries.set(subject, before + 1);
        const down = subject === 'p05' || (subject === 'p06' && before < 2);
        return down ? new PredictionError('RECORD_UNREACHABLE', 'It hangs.') : undefined;
      }),
    });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const { tally } = await ended(opened.runs, run.id);
    expect(tally).toMatchObject({ scored: 29, failed: 1, failedByCode: { RECORD_UNREACHABLE: 1 } });
    expect([tries.get('p05'), tries.get('p06'), tries.get('p07')]).toEqual([3, 3, 1]);
  });

  it('leaves members pending while the database cannot be used, and finishes once it can', async () => {
    let full = true;
    await using opened = open({
      predict: predictOr(({ subject }) => {
        const stop = full && subject === 'p12';
        if (stop) full = false;
        return stop ? new PredictionError('STORAGE_FULL', 'No space.') : undefined;
      }),
    });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    expect((await ended(opened.runs, run.id)).tally).toMatchObject({ scored: 30, failed: 0 });
  });

  it('fails as a whole, and can be resumed, where its model is not served any more', async () => {
    let served = true;
    await using opened = open({
      predict: predictOr(({ subject }) => {
        if (subject >= 'p10') served = false;
        return served ? undefined : new PredictionError('MODEL_UNKNOWN', 'There is no model prevent-base.');
      }),
    });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const failed = await ended(opened.runs, run.id);
    expect(failed.run).toMatchObject({ state: 'failed', reason: { code: 'MODEL_UNKNOWN' } });
    expect(failed.tally.scored).toBeGreaterThanOrEqual(8);
    expect(failed.tally.failed).toBe(0);
    served = true;
    await opened.runs.close();
    await using again = open();
    await again.runs.start();
    expect((await again.runs.resume(run.id)).state).toBe('running');
    expect((await ended(again.runs, run.id)).tally).toMatchObject({ scored: 30, failed: 0 });
  });

  it('is refused and never begun for a model whose files are others than when it was made', async () => {
    await using opened = open();
    const { run } = await opened.runs.create(request, {});
    await using changed = open({ findModel: () => ({ id: 'prevent-base', version: '1.0.0', digest: 'other' }) });
    await changed.runs.start();
    const { run: failed, tally } = await ended(changed.runs, run.id);
    expect(failed).toMatchObject({ state: 'failed', reason: { code: 'MODEL_NOT_READY' } });
    expect(tally.scored).toBe(0);
    await expect(changed.runs.resume(run.id)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });

  it('has no more members under way at once than its model has slices begun for', async () => {
    let underWay = 0;
    let most = 0;
    await using opened = open({
      predict: async (each, parts) => {
        underWay += 1;
        most = Math.max(most, underWay);
        return await server.house.predict(each, parts).finally(() => {
          underWay -= 1;
        });
      },
      sliceSizeOf: ({ id }) => (id === 'prevent-base' ? 2 : 30),
    });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    expect((await ended(opened.runs, run.id)).tally.pending).toBe(0);
    expect(most).toBe(overlap ? 4 : 2);
  });

  it('stops with the reason where its model is switched off in the middle, and goes on once it is on again', async () => {
    const { desk } = server.house.versions;
    const asked = { requester: 'test', way: 'command-line', because: 'Wrong units.' } as const;
    let predicted = 0;
    await using opened = open({
      predict: async (each, parts) => {
        predicted++;
        if (predicted === 12) await desk.disable({ model: 'prevent-base' }, asked);
        return await server.house.predict(each, parts);
      },
      sliceSizeOf: () => 10,
    });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const { run: failed, tally } = await ended(opened.runs, run.id);
    expect(failed).toMatchObject({ state: 'failed', reason: { code: 'MODEL_DISABLED' } });
    expect(failed.reason?.message).toContain('Wrong units.');
    expect(tally).toMatchObject({ failed: 0 });
    expect(tally.scored).toBeLessThan(30);
    await expect(opened.runs.create(request, {})).rejects.toMatchObject({ code: 'MODEL_DISABLED' });
    await desk.enable({ model: 'prevent-base' }, asked);
    await opened.runs.resume(run.id);
    expect((await ended(opened.runs, run.id)).tally).toMatchObject({ scored: 30, failed: 0 });
  });

  it('fails with the reason where its cohort cannot be read, at once where that will not change', async () => {
    let reads = 0;
    const cohorts: RunsParts['cohorts'] = {
      check: async () => undefined,
      // biome-ignore lint/correctness/useYield: it fails before the first page
      async *read() {
        reads += 1;
        throw new PredictionError('RESOURCE_UNKNOWN', 'There is no Group/gone.');
      },
    };
    await using opened = open({ cohorts });
    const { run } = await opened.runs.create(request, {});
    await opened.runs.start();
    const failed = await ended(opened.runs, run.id);
    expect(failed.run).toMatchObject({ state: 'failed', reason: { code: 'RESOURCE_UNKNOWN' } });
    expect(failed.tally.pending).toBeUndefined();
    expect(reads).toBe(1);
  });
});

describe('the cohort of a run', () => {
  const searched = { ...request, cohort: { search: 'Patient?identifier=Zqrecord1' } };

  it('lies sealed in the database, beside neither its idempotency key nor a hash that could be guessed', async () => {
    await using opened = open();
    const { run } = await opened.runs.create(searched, { idempotencyKey: { owner: 'anyone', key: 'Zqrecord1-night' } });
    expect((await opened.runs.read(run.id)).cohort).toEqual(searched.cohort);
    const { rows } = await server.house.database.query('select * from runs where id = $1', [run.id]);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('Zqrecord');
    await opened.runs.cancel(run.id);
  });

  it('that is sealed with another key is shown as such, and fails the run with the way out', async () => {
    await using opened = open();
    const { run } = await opened.runs.create(searched, {});
    const other = createValuesCipher(parseKeys('the test', `k9:${Buffer.alloc(32, 9).toString('base64')}`));
    await using foreign = open({ cipher: other });
    expect((await foreign.runs.read(run.id)).cohort).toEqual({ sealedWith: 'k1' });
    await foreign.runs.start({ schedules: false });
    const { run: failed } = await ended(foreign.runs, run.id);
    expect(failed.reason?.code).toBe('CONFIG_INVALID');
    expect(failed.reason?.message).toMatch(/VALUES_KEY_FILE.*resume/);
    await foreign.runs.close();
    await opened.runs.start({ schedules: false });
    await opened.runs.resume(run.id);
    expect((await ended(opened.runs, run.id)).run.state).toBe('finished');
  });

  it('that an older release kept in the clear is read, and sealed at the start', async () => {
    await using opened = open();
    const { run } = await opened.runs.create(searched, {});
    const { database } = server.house;
    await database.query('update runs set cohort = $2 where id = $1', [run.id, JSON.stringify(searched.cohort)]);
    expect((await opened.runs.read(run.id)).cohort).toEqual(searched.cohort);
    expect(await sealClearCohorts(database, run.tenant, testCipher)).toBe(1);
    expect(await sealClearCohorts(database, run.tenant, testCipher)).toBe(0);
    const { rows } = await database.query('select cohort from runs where id = $1', [run.id]);
    expect(JSON.stringify(rows)).not.toContain('Zqrecord');
    expect((await opened.runs.read(run.id)).cohort).toEqual(searched.cohort);
    await opened.runs.cancel(run.id);
  });
});

describe('an idempotency key', () => {
  it('is of whoever sent it: another caller with the same one makes a run of his own', async () => {
    await using opened = open();
    const keyOf = (owner: string) => ({ idempotencyKey: { owner, key: 'night-of-two' } });
    const [one, other] = [
      await opened.runs.create(request, keyOf('ehr')),
      await opened.runs.create({ ...request, writeBack: false }, keyOf('registry')),
    ];
    expect([one.repeated, other.repeated]).toEqual([false, false]);
    for (const { run } of [one, other]) await opened.runs.cancel(run.id);
  });

  it('gives the same run for the same request, also where both come at once, and refuses another request', async () => {
    await using opened = open();
    const key = { idempotencyKey: { owner: 'anyone', key: 'night-1' } };
    const [first, second] = await Promise.all([opened.runs.create(request, key), opened.runs.create(request, key)]);
    expect(second.run.id).toBe(first.run.id);
    expect([first.repeated, second.repeated].sort()).toEqual([false, true]);
    expect(await opened.runs.create(request, key)).toMatchObject({ run: { id: first.run.id }, repeated: true });
    await expect(opened.runs.create({ ...request, writeBack: false }, key)).rejects.toMatchObject({
      code: 'RUN_CONFLICT',
    });
    await opened.runs.cancel(first.run.id);
  });
});

describe('servers of different record sources on one database', () => {
  it('never get the run of the other for the same idempotency key', async () => {
    await using north = open({ fhirBase: 'http://north.example.org/fhir' });
    await using south = open({ fhirBase: 'http://south.example.org/fhir' });
    const key = { idempotencyKey: { owner: 'anyone', key: 'ward-round' } };
    const [one, other] = [await north.runs.create(request, key), await south.runs.create(request, key)];
    expect([one.repeated, other.repeated]).toEqual([false, false]);
    expect(other.run.fhirBase).toBe('http://south.example.org/fhir');
    expect((await south.runs.create(request, key)).run.id).toBe(other.run.id);
    await north.runs.cancel(one.run.id);
    await south.runs.cancel(other.run.id);
  });
});

describe.each([false, true])(
  'cancelling and resuming, a slice begun while the one before is written: %s',
  (overlaps) => {
    overlapping(overlaps);

    it('keeps what is done, leaves the rest pending, and goes on with the rest only', async () => {
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const asked: string[] = [];
      await using opened = open({
        predict: async (one, parts) => {
          asked.push(one.subject);
          if (asked.length > 14) await held;
          return await server.house.predict(one, parts);
        },
      });
      const { run } = await opened.runs.create(request, {});
      await opened.runs.start();
      while (asked.length < 15) await new Promise((resolve) => setImmediate(resolve));
      expect((await opened.runs.cancel(run.id)).state).toBe('cancelling');
      await expect(opened.runs.resume(run.id)).rejects.toMatchObject({ code: 'RUN_CONFLICT' });
      release();
      const { tally } = await ended(opened.runs, run.id);
      expect((await opened.runs.read(run.id)).run.state).toBe('cancelled');
      expect(tally.scored).toBeGreaterThanOrEqual(10);
      expect(tally.pending).toBeGreaterThan(0);
      expect(tally.scored + (tally.pending ?? 0)).toBe(30);
      expect((await opened.runs.cancel(run.id)).state).toBe('cancelled');

      const before = asked.length;
      await opened.runs.resume(run.id);
      expect((await ended(opened.runs, run.id)).tally).toMatchObject({ scored: 30, pending: 0 });
      expect(asked.length - before).toBe(tally.pending);
      await expect(opened.runs.cancel(run.id)).rejects.toMatchObject({ code: 'RUN_CONFLICT' });
      await expect(opened.runs.resume(run.id)).rejects.toMatchObject({ code: 'RUN_CONFLICT' });
    });

    it('are refused at a server that reads other patients', async () => {
      await using opened = open();
      const { run } = await opened.runs.create(request, {});
      await using elsewhere = open({ fhirBase: 'http://elsewhere.example.org/fhir' });
      for (const action of ['cancel', 'resume'] as const) {
        await expect(elsewhere.runs[action](run.id)).rejects.toMatchObject({
          code: 'RUN_CONFLICT',
          message: expect.stringContaining(otherBase),
        });
      }
      await opened.runs.cancel(run.id);
    });

    it('know no run that does not exist', async () => {
      await using opened = open();
      for (const id of ['00000000-0000-4000-8000-000000000000', 'no-uuid', "'; drop table runs; --"]) {
        for (const action of ['read', 'cancel', 'resume'] as const)
          await expect(opened.runs[action](id)).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
      }
    });
  },
);

describe('two servers on one database', () => {
  it('share a run without doing anything twice', async () => {
    const asked: string[] = [];
    const predict = predictOr(({ subject }) => void asked.push(subject));
    await using one = open({ predict, chunkSize: 4 });
    await using other = open({ predict });
    const { run } = await one.runs.create(request, {});
    await Promise.all([one.runs.start(), other.runs.start()]);
    expect((await ended(one.runs, run.id)).tally).toMatchObject({ scored: 30 });
    expect(asked.toSorted()).toEqual(patients);
  });

  it('leave the runs about patients of another record source alone', async () => {
    await using here = open({ fhirBase: 'http://here.example.org/fhir' });
    await using there = open({ fhirBase: 'http://there.example.org/fhir' });
    const { run } = await here.runs.create(request, {});
    await there.runs.start();
    const { run: own } = await there.runs.create(request, {});
    await ended(there.runs, own.id);
    expect((await there.runs.read(run.id)).run.state).toBe('expanding');
    await here.runs.start();
    expect((await ended(here.runs, run.id)).tally.scored).toBe(30);
  });
});

describe.each([false, true])('a server that stops, a slice begun while the one before is written: %s', (overlaps) => {
  overlapping(overlaps);

  it('finishes the slice under way, and the next one goes on at once with what is left', async () => {
    const asked: string[] = [];
    const predict = predictOr(({ subject }) => void asked.push(subject));
    const first = open({ predict });
    const { run } = await first.runs.create(request, {});
    await first.runs.start();
    while (asked.length < 5) await new Promise((resolve) => setImmediate(resolve));
    await first.runs.close();
    const done = asked.length;
    expect(done).toBeLessThan(30);
    await using next = open({ predict });
    await next.runs.start();
    expect((await ended(next.runs, run.id)).tally).toMatchObject({ scored: 30 });
    expect(asked.toSorted()).toEqual(patients);
  });
});
