import { randomUUID } from 'node:crypto';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import type { Database } from '../../src/platform/database.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import type { ResultRequest } from '../../src/results/result-request.ts';
import type { ReviewVerdict } from '../../src/results/review-report.ts';
import type { OutcomeRecord } from '../../src/write-back/outcome-record.ts';
import type { OpenResultStore } from '../../src/write-back/result-store.ts';
import { createResultWriter } from '../../src/write-back/result-writer.ts';
import { writeReview } from '../../src/write-back/reviews/write-review.ts';
import { createDeliveries, type Deliveries } from '../../src/write-back/sinks/deliveries.ts';
import type { ObjectArchive } from '../../src/write-back/sinks/object-archive.ts';
import type { SinkSettings } from '../../src/write-back/sinks/sink-schema.ts';
import { openSqlResultStore } from '../../src/write-back/sql-result-store.ts';
import { outboundTo } from './outbound-to.ts';
import { outcomeBase, resourcesOf } from './outcome-record.ts';
import { reportResources } from './report-record.ts';
import { createVirtualTime, type VirtualTime } from './virtual-time.ts';

const validator = createResourceValidator();

/** Results, sinks and the deliveries between them, on a real database and in virtual time. */
export interface DeliveryBench {
  readonly time: VirtualTime;
  readonly deliveries: Deliveries;
  readonly events: LogEvent[];
  /** Stores results, which enqueues them; of an abstention the outcome alone. */
  write(...records: OutcomeRecord[]): Promise<void>;
  /** Likewise, reports of studies. */
  writeReport(record: OutcomeRecord, score?: number, changes?: Partial<ResultRequest>): Promise<void>;
  /** Stores what a person found of the current version of a report. */
  review(reportId: string, verdict: ReviewVerdict): Promise<void>;
  /** Goes on in time, a second each, until the deliveries are as asked; fails after `seconds`. */
  until(
    asked: (summary: { pending: number; sending: number; delivered: number; dead: number }) => boolean,
    seconds?: number,
  ): Promise<void>;
  close(): Promise<void>;
}

export function openDeliveryBench(
  database: Database,
  sinks: readonly SinkSettings[],
  options: {
    readonly time?: VirtualTime;
    readonly ownBase?: string;
    readonly archives?: ReadonlyMap<string, ObjectArchive>;
  } = {},
): DeliveryBench {
  const time = options.time ?? createVirtualTime();
  const ownBase = options.ownBase ?? outcomeBase;
  const events: LogEvent[] = [];
  const store = { baseUrl: ownBase, clock: time.clock, newId: randomUUID, timeZone: 'UTC', validator };
  const openResultStore: OpenResultStore = (sql, tenant) => openSqlResultStore(store, sql, tenant);
  const reportSinks = sinks.filter(({ reports }) => reports).map(({ name }) => name);
  const writer = createResultWriter({
    database,
    openResultStore,
    sinks: sinks.flatMap(({ name, kind }) => (kind === 'dicomweb' ? [] : [name])),
    reportSinks,
  });
  const deliveries = createDeliveries({
    database,
    tenant: 'default',
    sinks,
    ownBase,
    outbound: outboundTo(...sinks.flatMap((sink) => ('url' in sink ? [sink.url] : []))),
    ...(options.archives && { archives: options.archives }),
    clock: time.clock,
    newId: randomUUID,
    event: (event) => void events.push(event),
    wait: time.wait,
  });
  const counts = async () => {
    const all = await deliveries.summary();
    const sum = (state: 'pending' | 'sending' | 'delivered' | 'dead') =>
      all.reduce((total, summary) => total + summary[state], 0);
    return { pending: sum('pending'), sending: sum('sending'), delivered: sum('delivered'), dead: sum('dead') };
  };
  return {
    time,
    deliveries,
    events,
    async write(...records) {
      await Promise.all(
        records.map((record) => writer.write(record, record.state === 'scored' ? resourcesOf(record) : undefined)),
      );
    },
    async writeReport(record, score, changes) {
      await writer.write(record, reportResources(record, score, changes));
    },
    async review(reportId, verdict) {
      const { rows } = await database.query<{ version: number }>(
        `select version from resources where type = 'DiagnosticReport' and id = $1`,
        [reportId],
      );
      await writeReview(
        database,
        openResultStore,
        {
          tenant: 'default',
          reportId,
          readVersion: String(rows[0]?.version),
          review: { verdict, reviewer: 'Practitioner/17', at: time.clock.now() },
        },
        { reportSinks, timeZone: 'UTC' },
      );
    },
    async until(asked, seconds = 3_600) {
      for (let second = 0; second < seconds; second++) {
        // Requests and statements under way take real time, in which virtual time stands still.
        for (let turn = 0; turn < 3; turn++) if (asked(await counts())) return;
        await time.advance(1_000);
      }
      throw new Error(`not reached: ${JSON.stringify([await counts(), events.slice(-3)])}`);
    },
    async close() {
      const closed = deliveries.close(1);
      await time.advance(10);
      await closed;
      await writer.close();
    },
  };
}

/** A sink with its defaults, quick to give up. */
export function sinkAt<Kind extends SinkSettings['kind']>(
  kind: Kind,
  url: string,
  changes: Partial<Extract<SinkSettings, { kind: Kind }>> = {},
): Extract<SinkSettings, { kind: Kind }> {
  const retries = {
    name: 'ehr',
    maxAttempts: 12,
    firstRetryMs: 1_000,
    maxRetryMs: 300_000,
    subjectReferences: 'absolute',
    reports: false,
  };
  const server = {
    ...retries,
    url,
    allowPlainHttp: false,
    timeoutMs: 2_000,
    foreignReferences: 'absolute',
    device: 'create',
    provenance: 'put',
    batchSize: 10,
  };
  const made = {
    'fhir-transaction': { kind, ...server },
    'fhir-creates': { kind, ...server, as: 'risk-assessment' },
    ndjson: { kind, ...retries, folder: url, batchSize: 100 },
    dicomweb: {
      kind,
      ...retries,
      server: url,
      objects: ['secondary-capture', 'structured-report'],
      reports: true,
      batchSize: 10,
    },
  }[kind];
  return { ...made, ...changes } as unknown as Extract<SinkSettings, { kind: Kind }>;
}
