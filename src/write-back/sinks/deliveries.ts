import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import type { LogEvent } from '../../platform/events.ts';
import type { Outbound } from '../../platform/outbound/create-outbound.ts';
import type { Sink } from './delivery.ts';
import { type DeliveryDesk, openDeliveryDesk } from './delivery-desk.ts';
import { createDicomwebSink } from './dicomweb-sink.ts';
import { createFhirCreatesSink } from './fhir-creates-sink.ts';
import type { SinkParts } from './fhir-sink-server.ts';
import { createFhirTransactionSink } from './fhir-transaction-sink.ts';
import { createNdjsonSink } from './ndjson-sink.ts';
import type { ObjectArchive } from './object-archive.ts';
import { runSink, type SinkRun, type Wait } from './run-sink.ts';
import type { SinkSettings } from './sink-schema.ts';

export interface DeliveriesOptions {
  readonly database: Database;
  readonly tenant: string;
  readonly sinks: readonly SinkSettings[];
  /** Base of the own store: what its references mean elsewhere. */
  readonly ownBase: string;
  readonly outbound: Pick<Outbound, 'to'>;
  /** Of the sinks of kind `dicomweb`, by name. */
  readonly archives?: ReadonlyMap<string, ObjectArchive>;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly event: (event: LogEvent) => void;
  /** The system's timers by default. */
  readonly wait?: Wait;
}

/** Delivers what `enqueueDeliveries` made wanted, to every sink on its own; and shows and revives what did not go. */
export interface Deliveries extends DeliveryDesk {
  /** To be enqueued for, whatever the result. */
  readonly sinkNames: readonly string[];
  /** Of those that take reports of studies. */
  readonly reportSinkNames: readonly string[];
  start(): void;
  /** Says that results were enqueued. Without it they are found within a second. */
  wake(): void;
  /** Begins nothing more; the batches under way are finished, or given up after `graceMs` and taken up by the next start. */
  close(graceMs: number): Promise<void>;
}

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { database, tenant, sinks, ownBase, outbound, archives, clock, newId, event, wait = waitForTimer } = options;
  const desk = openDeliveryDesk(
    database,
    tenant,
    sinks.map(({ name }) => name),
  );
  let runs: readonly SinkRun[] = [];
  const wake = (): void => {
    for (const run of runs) run.wake();
  };
  const newBatch = (): string => `${clock.now().toISOString().replace(/[-:.]/g, '')}-${newId().slice(0, 8)}`;
  return {
    ...desk,
    sinkNames: sinks.flatMap(({ name, kind }) => (kind === 'dicomweb' ? [] : [name])),
    reportSinkNames: sinks.filter(({ reports }) => reports).map(({ name }) => name),
    start() {
      if (runs.length > 0) return;
      runs = sinks.map((settings) =>
        runSink({
          database,
          tenant,
          clock,
          wait,
          newBatch,
          newId,
          event,
          sink: openSink(settings, { ownBase, clock, outbound }, archives),
          rules: settings,
        }),
      );
    },
    wake,
    async redrive(request) {
      const redriven = await desk.redrive(request);
      if (redriven > 0) wake();
      return redriven;
    },
    async close(graceMs) {
      const closing = runs;
      runs = [];
      await Promise.all(closing.map((run) => run.close(graceMs)));
    },
  };
}

function openSink(
  settings: SinkSettings,
  parts: SinkParts,
  archives: ReadonlyMap<string, ObjectArchive> | undefined,
): Sink {
  switch (settings.kind) {
    case 'fhir-transaction':
      return createFhirTransactionSink(settings, parts);
    case 'fhir-creates':
      return createFhirCreatesSink(settings, parts);
    case 'ndjson':
      return createNdjsonSink(settings, parts.ownBase);
    case 'dicomweb': {
      const archive = archives?.get(settings.name);
      if (archive === undefined) throw new RangeError(`The sink ${settings.name} was given no archive`);
      return createDicomwebSink(settings, archive);
    }
  }
}

const waitForTimer: Wait = async (ms, signal) => {
  try {
    await pause(ms, undefined, { signal, ref: false });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};
