import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdBack } from '../../src/monitoring/held-cards.ts';
import { createMonitoring } from '../../src/monitoring/monitored-predict.ts';
import { readPredictionValues } from '../../src/monitoring/prediction-values.ts';
import { pruneOnce } from '../../src/monitoring/retention.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import { createValuesCipher, parseKeys, type ValuesCipher } from '../../src/platform/values-cipher.ts';
import { readImage } from '../support/image-map.ts';
import { predictionRequest, scoredOutcome } from '../support/prediction-outcome.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

const cipher = createValuesCipher(parseKeys('VALUES_KEY', `k1:${Buffer.alloc(32, 1).toString('base64')}`));
let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened?.close());

/** One prediction, a number of days ago. @returns its tenant and id */
async function predicted(daysAgo: number, sealing: ValuesCipher | undefined, outcome = scoredOutcome()) {
  const [tenant, id] = [randomUUID(), randomUUID()];
  const monitoring = createMonitoring({
    database: opened.database,
    clock: { now: () => new Date(Date.now() - daysAgo * 86_400_000) },
    tenant,
    newId: () => id,
    ...(sealing && { cipher: sealing }),
    findModel: () => undefined,
    subjectBase: 'http://127.0.0.1:8080/fhir/R4',
    subjectBaseOf: async (named) => named,
    onPrediction: () => undefined,
    event: () => undefined,
  });
  await monitoring.watched(async () => outcome, predictionRequest());
  await monitoring.close();
  return { tenant, id };
}

async function rowsOf(table: string, tenant: string): Promise<number> {
  return (await opened.database.query(`select 1 from ${table} where tenant = $1`, [tenant])).rows.length;
}

describe('EU-3: the values of a prediction', () => {
  it('are kept sealed beside its row, and read with the key', async () => {
    const { tenant, id } = await predicted(0, cipher);
    const { rows } = await opened.database.query<{ text: string }>(
      `select prediction_values::text || encode(sealed, 'escape') as text from prediction_values where tenant = $1`,
      [tenant],
    );
    const values = await readPredictionValues(opened.database, cipher, tenant, id);
    const features = scoredOutcome().inputs.features;
    expect(Object.keys(values?.inputs ?? {})).toEqual([...features.keys()]);
    for (const [name, feature] of features) {
      expect(values?.inputs[name]).toMatchObject({ state: feature.state });
      expect(rows[0]?.text).not.toContain(name);
    }
    expect(await rowsOf('prediction_log', tenant)).toBe(1);
  });

  it('say of an image which frames were read and the hash of its numbers, and hold no pixel', async () => {
    const scored = scoredOutcome();
    const frontal = readImage();
    const { inputs } = scored;
    const outcome = { ...scored, inputs: { ...inputs, features: new Map([['frontal', frontal]]) } };
    const { tenant, id } = await predicted(0, cipher, outcome);
    const values = await readPredictionValues(opened.database, cipher, tenant, id);
    const { tensor: _pixels, preview: _picture, ...read } = frontal.image ?? {};
    const { sources: _sources, ...feature } = frontal;
    expect(values?.inputs.frontal).toEqual({ ...feature, image: read });
    expect(JSON.stringify(values)).not.toContain('0.25');
  });

  it('are not kept where there is no key', async () => {
    const { tenant, id } = await predicted(0, undefined);
    expect(await rowsOf('prediction_log', tenant)).toBe(1);
    expect(await readPredictionValues(opened.database, cipher, tenant, id)).toBeUndefined();
  });

  it('do not open where a row was put in the place of another', async () => {
    const [one, other] = [await predicted(0, cipher), await predicted(0, cipher)];
    await opened.database.query(
      `update prediction_values v set nonce = o.nonce, sealed = o.sealed from prediction_values o
       where v.tenant = $1 and o.tenant = $2`,
      [one.tenant, other.tenant],
    );
    await expect(readPredictionValues(opened.database, cipher, one.tenant, one.id)).rejects.toThrow('do not open');
  });
});

describe('EU-2: retention', () => {
  const clock = { now: () => new Date() };

  it('removes values and logs when their time is over, each by its own rule, and says how many', async () => {
    const { tenant } = await predicted(200, cipher);
    const events: LogEvent[] = [];
    const prune = (days: Parameters<typeof pruneOnce>[0]['days']) =>
      pruneOnce({ database: opened.database, tenant, clock, days, event: (event) => void events.push(event) });
    await prune({ values: 201, logs: 201 });
    await prune({});
    expect([await rowsOf('prediction_values', tenant), await rowsOf('prediction_log', tenant)]).toEqual([1, 1]);
    await prune({ values: 30 });
    expect([await rowsOf('prediction_values', tenant), await rowsOf('prediction_log', tenant)]).toEqual([0, 1]);
    await prune({ logs: 190 });
    expect(await rowsOf('prediction_log', tenant)).toBe(0);
    expect(events).toEqual([
      { name: 'retention.pruned', table: 'prediction_values', rows: 1 },
      { name: 'retention.pruned', table: 'prediction_log', rows: 1 },
    ]);
  });

  it('removes what was told once no model may hold a card back for it, without any setting, and held-back cards with the logs', async () => {
    const tenant = randomUUID();
    const { model, subjectBase } = scoredOutcome();
    const card = { service: 's', hook: 'patient-view', outcome: 'o', user: 'Practitioner/7', model, said: 'info: low' };
    for (const [days, subject] of [
      [200, 'old'],
      [200, 'old'],
      [4.5, 'new'],
    ] as const) {
      const at = new Date(Date.now() - days * 86_400_000);
      const shown = { ...card, subject: { base: subjectBase, id: subject }, card: randomUUID(), heldForMs: 3_600_000 };
      await holdBack(opened.database, { tenant, at }, shown);
    }
    const counts = async () => [await rowsOf('told_bands', tenant), await rowsOf('held_cards', tenant)];
    const prune = (days: Parameters<typeof pruneOnce>[0]['days']) =>
      pruneOnce({ database: opened.database, tenant, clock, days, event: () => undefined });
    expect(await counts()).toEqual([2, 1]);
    await prune({});
    expect(await counts()).toEqual([1, 1]);
    await prune({ logs: 190 });
    expect(await counts()).toEqual([1, 0]);
  });

  it('keeps no value and no word of an answer longer than the row that says whose they are', async () => {
    const { tenant, id } = await predicted(200, cipher);
    const { tenant: other } = await predicted(200, cipher);
    const card = randomUUID();
    await opened.database.query('alter table prediction_log disable trigger user');
    await opened.database.query(
      `update prediction_log set service = 'prevent-base', card = $2 where tenant = $1 and id = $3`,
      [tenant, card, id],
    );
    await opened.database.query('alter table prediction_log enable trigger user');
    for (const given of [card, randomUUID()])
      await opened.database.query(
        `insert into cds_feedback (tenant, service, card, outcome, outcome_at, accepted_suggestions, user_comment,
           reason_system, reason_code, reason_display, received_at)
         values ($1, 'prevent-base', $2, 'overridden', now(), '[]', 'She knows.', 'urn:x', 'r1', 'As her brother has', now())`,
        [tenant, given],
      );
    await pruneOnce({ database: opened.database, tenant, clock, days: { logs: 190 }, event: () => undefined });
    expect([await rowsOf('prediction_log', tenant), await rowsOf('prediction_values', tenant)]).toEqual([0, 0]);
    expect(await rowsOf('prediction_values', other)).toBe(1);
    const { rows } = await opened.database.query<{ card: string }>(
      'select card from cds_feedback where tenant = $1 and user_comment is null and reason_display is null',
      [tenant],
    );
    expect(rows).toEqual([{ card }]);
  });

  it('removes what reviewers of reports wrote with the other feedback, and keeps that they reviewed', async () => {
    const tenant = randomUUID();
    for (const [report, days] of [
      ['old', 200],
      ['new', 10],
    ] as const)
      await opened.database.query(
        `insert into report_reviews (tenant, report_id, version, read_version, verdict, reviewer, reviewed_at, user_comment, result,
           fhir_base, subject_id, model_id, model_version, model_digest)
         values ($1, $2, 2, 1, 'rejected', 'Practitioner/1', $3, 'A word.', 'x', 'b', '17', 'm', '1.0.0', 'd')`,
        [tenant, report, new Date(Date.now() - days * 86_400_000)],
      );
    const prune = (days: Parameters<typeof pruneOnce>[0]['days']) =>
      pruneOnce({ database: opened.database, tenant, clock, days, event: () => undefined });
    await prune({ logs: 190 });
    await prune({ feedback: 100 });
    const { rows } = await opened.database.query(
      'select report_id, user_comment from report_reviews where tenant = $1 order by 1',
      [tenant],
    );
    expect(rows).toEqual([
      { report_id: 'new', user_comment: 'A word.' },
      { report_id: 'old', user_comment: null },
    ]);
  });

  it('leaves other tenants alone', async () => {
    const [one, other] = [await predicted(200, cipher), await predicted(200, cipher)];
    const days = { values: 1, logs: 184 };
    await pruneOnce({ database: opened.database, tenant: one.tenant, clock, days, event: () => undefined });
    expect([await rowsOf('prediction_log', one.tenant), await rowsOf('prediction_log', other.tenant)]).toEqual([0, 1]);
  });

  it('is stopped by the database where a rule asks for less than six months of logs', async () => {
    const { tenant } = await predicted(30, undefined);
    const options = { database: opened.database, tenant, clock, days: { logs: 10 }, event: () => undefined };
    await expect(pruneOnce(options)).rejects.toThrow('append-only');
    expect(await rowsOf('prediction_log', tenant)).toBe(1);
  });
});
