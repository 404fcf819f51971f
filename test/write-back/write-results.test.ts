import { randomUUID } from 'node:crypto';
import type { RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import type { WriteReceipt } from '../../src/write-back/outcome-record.ts';
import type { ResultToWrite } from '../../src/write-back/prepare-result.ts';
import type { OpenResultStore } from '../../src/write-back/result-store.ts';
import { createResultWriter } from '../../src/write-back/result-writer.ts';
import { openSqlResultStore } from '../../src/write-back/sql-result-store.ts';
import { isTaggedSuperseded } from '../../src/write-back/superseded-tag.ts';
import { writeResults } from '../../src/write-back/write-results.ts';
import { abstainedRecord, outcomeBase, resourcesOf, scoredRecord } from '../support/outcome-record.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';
import {
  clearWriteBack,
  keptOutcomes,
  listingStatements,
  standingByGroup,
  storedCount,
} from '../support/write-back-tables.ts';

const validator = createResourceValidator();
let opened: TestDatabase;
let database: Database;

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
});
beforeEach(() => clearWriteBack(database));
afterAll(() => opened.close());

const openStore: OpenResultStore = (sql, tenant) =>
  openSqlResultStore(
    { baseUrl: outcomeBase, clock: systemClock, newId: randomUUID, timeZone: 'UTC', validator },
    sql,
    tenant,
  );
const writeSettled = (batch: readonly ResultToWrite[], sinks: readonly string[] = []) =>
  writeResults(database, openStore, batch, { sinks });
const write = async (batch: readonly ResultToWrite[], sinks: readonly string[] = []): Promise<WriteReceipt[]> =>
  (await writeSettled(batch, sinks)).map((settled) => {
    if ('error' in settled) throw settled.error;
    return settled.receipt;
  });

const plain = (record = scoredRecord('a')): ResultToWrite => ({ record });
const back = (record = scoredRecord('a')): ResultToWrite => ({ record, resources: resourcesOf(record) });
const at = (minute: number, second = 0) => ({
  asOf: new Date(Date.UTC(2026, 2, 1, 9, minute)),
  computedAt: new Date(Date.UTC(2026, 2, 1, 12, 0, second)),
});
const subject = (subjectId: string) => scoredRecord('a', { subjectId });
const codesOf = (settled: Awaited<ReturnType<typeof writeSettled>>) =>
  settled.map((one) => ('error' in one ? (one.error as PredictionError).code : 'kept'));

/** Predictions of three subjects as they may come: old, repeated, abstained, what-if, with and without resources. */
function drawResults(count: number, random: () => number): ResultToWrite[] {
  return Array.from({ length: count }, (_, index) => {
    const changes = { ...at(Math.floor(random() * 3), index), subjectId: `s${Math.floor(random() * 3)}` };
    const seed = `inputs ${Math.floor(random() * 3)}`;
    const kind = random();
    if (kind < 0.1) return plain(scoredRecord(`${seed} asserted`, { ...changes, whatIf: true }));
    if (kind < 0.25) return plain(abstainedRecord(`${seed} abstained`, changes));
    return kind < 0.5 ? plain(scoredRecord(seed, changes)) : back(scoredRecord(seed, changes));
  });
}

describe('many results in one transaction', () => {
  test.each([1, 2, 3, 4, 5])(
    'end as if they were written one after the other, however they are grouped (seed %d)',
    async (seed) => {
      const random = seededRandom(seed);
      const results = drawResults(60, random);
      const said = ({ row, repeated, superseded, created, resource }: WriteReceipt) => ({
        identifier: row.identifier,
        repeated,
        superseded,
        created,
        resource: resource?.identifier?.[0]?.value,
      });
      const alone = [];
      for (const result of results) alone.push(...(await write([result])).map(said));
      const keptAlone = await keptOutcomes(database);
      const storedAlone = await storedCount(database, 'Provenance');

      await clearWriteBack(database);
      const together = [];
      for (let start = 0; start < results.length; ) {
        const size = 1 + Math.floor(random() * 40);
        together.push(...(await write(results.slice(start, start + size))).map(said));
        start += size;
      }
      expect(together).toEqual(alone);
      expect(await keptOutcomes(database)).toEqual(keptAlone);
      expect(await storedCount(database, 'Provenance')).toBe(storedAlone);
      expect(new Set(await standingByGroup(database))).toEqual(new Set([1]));
    },
  );

  test('two of one group: the later one stands, and the earlier one says so at once, in its row and by its tag', async () => {
    const [early, late] = [scoredRecord('a', at(0)), scoredRecord('b', at(1))];
    const [first, second] = await write([back(early), back(late)]);
    expect(first?.row.supersededBy).toBe(late.identifier);
    expect(first?.resource && isTaggedSuperseded(first.resource)).toBe(true);
    expect(second?.superseded).toEqual([{ identifier: early.identifier, supersededBy: late.identifier }]);
    expect(second?.resource && isTaggedSuperseded(second.resource)).toBe(false);
    expect((await write([back(early)]))[0]?.resource).toEqual(first?.resource);
  });

  test('the same prediction twice is one row, one RiskAssessment and one Provenance', async () => {
    const [first, second] = await write([back(), back()]);
    expect(first).toMatchObject({ repeated: false, created: true });
    expect(second).toEqual({ ...first, repeated: true, created: false });
    expect(await storedCount(database, 'RiskAssessment')).toBe(1);
    expect(await storedCount(database, 'Provenance')).toBe(1);
  });

  test('of two tenants: each has its own rows and resources', async () => {
    const [one, other] = [scoredRecord('a', at(0)), scoredRecord('b', { ...at(1), tenant: 'other' })];
    await write([back(one), back(other)]);
    const { rows } = await database.query<{ tenant: string }>(
      `select tenant from resources where type = 'RiskAssessment' order by tenant`,
    );
    expect(rows.map(({ tenant }) => tenant)).toEqual(['default', 'other']);
    expect(await standingByGroup(database)).toEqual([1, 1]);
  });

  test('the number of statements does not depend on how many there are: 5 without resources, 10 with them', async () => {
    const count = async (batch: readonly ResultToWrite[], sinks: readonly string[] = []) => {
      const listing = listingStatements(database);
      for (const settled of await writeResults(listing.database, openStore, batch, { sinks }))
        expect(settled).toHaveProperty('receipt');
      return listing.statements.length;
    };
    const subjects = Array.from({ length: 50 }, (_, index) => `s${index}`);
    const outcomes = subjects.map((id) => plain(subject(id)));
    expect(await count(outcomes)).toBeLessThanOrEqual(5);
    expect(await count(outcomes)).toBeLessThanOrEqual(5);
    await write([back(subject('device'))]);
    const early = subjects.map((subjectId) => back(scoredRecord('b', { ...at(1), subjectId })));
    const late = subjects.map((subjectId) => back(scoredRecord('c', { ...at(2), subjectId })));
    expect(await count(early.slice(0, 1))).toBeLessThanOrEqual(10);
    expect(await count(early.slice(1), ['a', 'b'])).toBeLessThanOrEqual(10);
    expect(await count(late, ['a', 'b'])).toBeLessThanOrEqual(10);
  });

  test('what-if outcomes take no lock and one statement, and are there once', async () => {
    const asserted = ['a', 'b', 'c'].map((seed) => plain(scoredRecord(seed, { whatIf: true })));
    const listing = listingStatements(database);
    await writeResults(listing.database, openStore, asserted, { sinks: [] });
    expect(listing.statements).toHaveLength(3);
    const again = await Promise.all([write(asserted), write(asserted.toReversed())]);
    expect(again.flat().map(({ repeated }) => repeated)).toEqual(Array(6).fill(true));
    expect(again.flat().map(({ row }) => row.whatIf)).toEqual(Array(6).fill(true));
    expect((await keptOutcomes(database)).size).toBe(3);
  });

  test('nothing to write is no transaction', async () => {
    const listing = listingStatements(database);
    expect(await writeResults(listing.database, openStore, [], { sinks: [] })).toEqual([]);
    expect(listing.statements).toEqual([]);
  });
});

describe('where one of many cannot be kept, the others are', () => {
  const others = ['s1', 's2', 's3'].map((id) => back(subject(id)));
  const around = (bad: ResultToWrite) => [...others.slice(0, 2), bad, ...others.slice(2)];
  const keptAround = async () => [...(await keptOutcomes(database)).keys()].sort();
  const expected = others.map(({ record }) => record.identifier).sort();

  const invalid = back();
  const made = resourcesOf(invalid.record);
  test.each<[string, string | undefined, ResultToWrite]>([
    [
      'a resource that the store refuses',
      'WRITE_REJECTED',
      { ...invalid, resources: { ...made, result: { ...made.result, status: 'nearly' as 'final' } } },
    ],
    ['a what-if that asks to be written back', 'WHAT_IF_NOT_WRITABLE', back(scoredRecord('a', { whatIf: true }))],
    ['an abstention that asks for it', 'INTERNAL', back(abstainedRecord('a'))],
    ['text that the database refuses', '22021', plain(scoredRecord('a', { subjectId: 'nul \0' }))],
  ])('%s is refused alone', async (_, code, bad) => {
    expect(codesOf(await writeSettled(around(bad)))).toEqual(['kept', 'kept', code, 'kept']);
    expect(await keptAround()).toEqual(expected);
    expect(await storedCount(database, 'RiskAssessment')).toBe(3);
    expect(await storedCount(database, 'Provenance')).toBe(3);
  });

  test('a result that somebody changed is refused alone, without another transaction', async () => {
    const changed = back();
    await write([changed]);
    const reversed = `replace(body::text, '14.7', '1.47')::json`;
    await database.query(`update resources set version = 2, body = ${reversed} where type = 'RiskAssessment'`);
    const listing = listingStatements(database);
    const settled = await writeResults(listing.database, openStore, around(changed), { sinks: [] });
    expect(codesOf(settled)).toEqual(['kept', 'kept', 'WRITE_CONFLICT', 'kept']);
    expect(listing.statements.filter((text) => text === 'begin')).toHaveLength(1);
  });

  test('a later result of the same subject does not inherit the refusal of an earlier one', async () => {
    const changed = back(scoredRecord('a', at(0)));
    await write([changed]);
    await database.query(
      `update resources set version = 2, body = replace(body::text, '14.7', '1.47')::json where type = 'RiskAssessment'`,
    );
    const later = scoredRecord('b', at(1));
    expect(codesOf(await writeSettled([changed, back(later)]))).toEqual(['WRITE_CONFLICT', 'kept']);
    expect((await keptOutcomes(database)).get(changed.record.identifier)).toMatchObject({
      supersededBy: later.identifier,
      tagged: true,
    });
  });

  test.each(['STORAGE_FULL', 'DATABASE_UNAVAILABLE'] as const)('%s fails all, and is not tried again', async (code) => {
    let transactions = 0;
    const failing: Database = {
      ...database,
      transaction: (work) => {
        transactions += 1;
        return database.transaction(async (sql) => {
          await work(sql);
          throw new PredictionError(code, 'the database ends');
        });
      },
    };
    expect(codesOf(await writeResults(failing, openStore, others, { sinks: [] }))).toEqual([code, code, code]);
    expect(transactions).toBe(1);
    expect(await keptAround()).toEqual([]);
    expect(await storedCount(database, 'RiskAssessment')).toBe(0);
  });
});

describe('the tag superseded', () => {
  test('is changed without touching the rest of the resource, whatever letters it holds', async () => {
    const early = back(scoredRecord('a', at(0)));
    const riskAssessment: RiskAssessment = {
      ...resourcesOf(early.record).result,
      note: [{ text: 'Größe – 身長 𝒙 "quoted" \\ "meta":{"tag":[]}' }],
    };
    await write([{ ...early, resources: { ...resourcesOf(early.record), result: riskAssessment } }]);
    await write([plain(scoredRecord('b', at(1)))]);
    const { rows } = await database.query<{ body: string }>(
      `select body from resource_versions where type = 'RiskAssessment' order by version`,
    );
    const [first, second] = rows.map(({ body }) => JSON.parse(body) as RiskAssessment);
    expect(second?.meta?.versionId).toBe('2');
    expect(second && isTaggedSuperseded(second)).toBe(true);
    expect({ ...second, meta: undefined }).toEqual({ ...first, meta: undefined });
    expect(first?.note).toEqual(riskAssessment.note);
  });

  test('is changed in a resource whose text was written by other means', async () => {
    await write([back(scoredRecord('a', at(0)))]);
    await database.query(`update resources set body = (' ' || body::text)::json where type = 'RiskAssessment'`);
    const [receipt] = await write([plain(scoredRecord('b', at(1)))]);
    expect(receipt?.superseded).toHaveLength(1);
    expect([...(await keptOutcomes(database)).values()].map(({ tagged }) => tagged)).toContain(true);
  });
});

describe('deliveries are wanted in the transaction that makes them', () => {
  const wanted = async () => {
    const { rows } = await database.query<{ sink: string; identifier: string; wanted: number }>(
      'select sink, identifier, wanted from deliveries order by sink, identifier',
    );
    return rows.map(({ sink, identifier }) => `${sink} ${identifier}`);
  };

  test('of what is stored and of what is superseded; not of what has no resource or did not change', async () => {
    const [early, late, other] = [scoredRecord('a', at(0)), scoredRecord('b', at(1)), subject('other')];
    await write([back(early), plain(other)], ['a', 'b']);
    expect(await wanted()).toEqual([`a ${early.identifier}`, `b ${early.identifier}`]);
    await database.query('delete from deliveries');
    await write([back(early), plain(other)], ['a']);
    expect(await wanted()).toEqual([]);
    await write([back(late)], ['a']);
    expect(await wanted()).toEqual([early, late].map(({ identifier }) => `a ${identifier}`).sort());
  });

  test('without a sink nothing is', async () => {
    await write([back()]);
    expect(await wanted()).toEqual([]);
  });
});

describe('two servers that share a database', () => {
  test('write the same groups at once, in different orders: one stands in each, nothing is there twice', async () => {
    const random = seededRandom(11);
    const results = Array.from({ length: 120 }, (_, index) =>
      back(
        scoredRecord(`inputs ${index % 40}`, { ...at(Math.floor(random() * 5), index), subjectId: `s${index % 7}` }),
      ),
    );
    const servers = [0, 1].map(() => createResultWriter({ database, openResultStore: openStore, sinks: ['a'] }));
    const orders = [results, results.toReversed()];
    const receipts = await Promise.all(
      servers.flatMap(({ write }, index) =>
        (orders[index] ?? []).map(({ record, resources }) => write(record, resources)),
      ),
    );
    expect(receipts.filter(({ created }) => created)).toHaveLength(
      new Set(results.map((one) => one.record.identifier)).size,
    );
    expect(await standingByGroup(database)).toEqual(Array(7).fill(1));
    const kept = await keptOutcomes(database);
    for (const { supersededBy, tagged } of kept.values()) expect(tagged).toBe(supersededBy !== null);
    expect(await storedCount(database, 'RiskAssessment')).toBe(kept.size);
    expect(await storedCount(database, 'Provenance')).toBe(kept.size);
    expect(await storedCount(database, 'Device')).toBe(1);
    await Promise.all(servers.map(({ close }) => close()));
  });
});

describe('a result writer', () => {
  test('keeps what it took before it closes, and refuses what comes later', async () => {
    const writer = createResultWriter({ database, openResultStore: openStore, sinks: [] });
    const taken = ['s1', 's2', 's3'].map((id) => writer.write(subject(id)));
    const closed = writer.close();
    await expect(writer.write(subject('late'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await closed;
    expect((await keptOutcomes(database)).size).toBe(3);
    expect((await Promise.all(taken)).map(({ repeated }) => repeated)).toEqual([false, false, false]);
  });

  test('answers each caller of a group with its own receipt or its own error', async () => {
    const writer = createResultWriter({ database, openResultStore: openStore, sinks: [] });
    const bad = abstainedRecord('bad');
    const settled = await Promise.allSettled([
      writer.write(subject('s1'), resourcesOf(subject('s1'))),
      writer.write(bad, resourcesOf(bad)),
      writer.write(subject('s2')),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await writer.close();
  });
});
