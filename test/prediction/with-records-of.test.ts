import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import type { PredictionOutcome } from '../../src/prediction/prediction-outcome.ts';
import type { PredictionParts } from '../../src/prediction/prediction-parts.ts';
import type { PredictionRequest } from '../../src/prediction/prediction-request.ts';
import { withRecordsOf } from '../../src/prediction/with-records-of.ts';
import { send } from '../support/fhir-test-server.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

const now = new Date('2026-03-01T12:00:00Z');
const asOf = new Date('2026-03-01T11:00:00Z');
const model = { id: 'prevent-base' };
const queries = () => server.house.prediction.findModel(model.id).queriesAt(asOf);
const subjects = Array.from({ length: 40 }, (_, index) => `sample-${String(index + 1).padStart(4, '0')}`);

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ models: ['prevent-base', 'pce-2013'], clock: { now: () => now } });
  await loadSamplePatients(server.house, { patients: subjects.length, seed: 5, referenceDate: '2026-02-27' });
});
afterAll(() => server?.close());

function predict(
  subject: string,
  parts?: PredictionParts,
  changes: Partial<PredictionRequest> = {},
): Promise<PredictionOutcome> {
  const request: PredictionRequest = {
    requestId: 'many',
    entrance: 'cohort',
    model: model.id,
    subject,
    asOf,
    seed: [],
    inputs: [],
    writeBack: false,
    ...changes,
  };
  return server.house.predict(request, parts);
}

const compared = ({ timings: _timings, ...outcome }: PredictionOutcome) => outcome;

/** The own store with a count of the statements that read records. */
function countingReads(): { parts: PredictionParts; reads: () => number } {
  const { prediction } = server.house;
  let reads = 0;
  const { source } = prediction;
  return {
    parts: {
      ...prediction,
      source: {
        ...source,
        readMany: (wanted, signal) => {
          reads += 1;
          if (source.readMany === undefined) throw new Error('the own store reads many at once');
          return source.readMany(wanted, signal);
        },
      },
    },
    reads: () => reads,
  };
}

describe('records of many subjects, read at once', () => {
  test('a prediction from them is the very same one', async () => {
    const parts = await withRecordsOf(server.house.prediction, subjects, queries());
    let scored = 0;
    for (const subject of subjects) {
      const alone = await predict(subject);
      const together = await predict(subject, parts);
      expect(compared(together)).toEqual(compared(alone));
      if (together.state === 'scored') scored += 1;
    }
    expect(scored).toBeGreaterThan(5);
  });

  test('one statement reads all of them', async () => {
    const { parts, reads } = countingReads();
    const held = await withRecordsOf(parts, subjects.slice(0, 16), queries());
    for (const subject of subjects.slice(0, 16)) await predict(subject, held);
    expect(reads()).toBe(1);
  });

  test('another as-of, another model, an encounter or seeds are asked of the source', async () => {
    const { parts, reads } = countingReads();
    const [subject = ''] = subjects;
    const held = await withRecordsOf(parts, [subject], queries());
    const earlier = new Date('2025-06-01T00:00:00Z');
    expect(compared(await predict(subject, held, { asOf: earlier }))).toEqual(
      compared(await predict(subject, undefined, { asOf: earlier })),
    );
    expect(compared(await predict(subject, held, { model: 'pce-2013' }))).toEqual(
      compared(await predict(subject, undefined, { model: 'pce-2013' })),
    );
    expect(reads()).toBe(3);
  });

  test('a subject that was not read with them is read by itself', async () => {
    const held = await withRecordsOf(server.house.prediction, subjects.slice(0, 2), queries());
    expect(compared(await predict(subjects[5] ?? '', held))).toEqual(compared(await predict(subjects[5] ?? '')));
  });

  test('a subject that does not exist fails alone', async () => {
    const held = await withRecordsOf(server.house.prediction, ['nobody', 'no/id', subjects[0] ?? ''], queries());
    await expect(predict('nobody', held)).rejects.toMatchObject({ code: 'SUBJECT_UNKNOWN' });
    await expect(predict('no/id', held)).rejects.toMatchObject({ code: 'SUBJECT_UNKNOWN' });
    expect((await predict(subjects[0] ?? '', held)).model.id).toBe(model.id);
  });

  test('all of it is of one state of the data, whatever is written meanwhile', async () => {
    const [subject = ''] = scorablePatient('flip').map(({ id }) => id);
    for (const resource of scorablePatient('flip'))
      await send(`${server.fhir}/${resource.resourceType}/${resource.id}`, 'PUT', resource);
    const held = await withRecordsOf(server.house.prediction, [subject], queries());
    const before = await predict(subject);
    await send(`${server.fhir}/Observation/flip-bmi`, 'DELETE');
    expect(compared(await predict(subject, held))).toEqual(compared(before));
    expect((await predict(subject)).identifier).not.toBe(before.identifier);
  });

  test('a source that reads one by one gives the same parts back', async () => {
    const { readMany: _readMany, ...source } = server.house.prediction.source;
    const parts = { ...server.house.prediction, source };
    expect(await withRecordsOf(parts, subjects, queries())).toBe(parts);
  });
});
