import { randomUUID } from 'node:crypto';
import { accessRows } from './entrances/audit/access-rows.ts';
import { createAuditFile } from './entrances/audit/audit-file.ts';
import type { FinishedRequest } from './http/finished-request.ts';
import { createRetention } from './monitoring/retention.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import type { House } from './wire.ts';

/** The account that is kept of every request, passed on to AUDIT_FILE, and removed when its time is over. */
export interface Account {
  keep(finished: FinishedRequest): void;
  /** See `AccessLog`. */
  refuseUnaccounted(): void;
  /** Ends what goes on beside requests; what it had not passed on it passes on at the next start. */
  close(): Promise<void>;
}

/** Bases under which resources of this server are named in AuditEvents. */
export function ownBases({ fhirBase, source }: Pick<House, 'fhirBase' | 'source'>): string[] {
  return [...new Set([fhirBase, ...(source.own ? [source.base, ...(source.earlierBases ?? [])] : [])])];
}

export function openAccount(house: House, config: Config, clock: Clock): Account {
  const { accessLog, database, fhirBase, prediction } = house;
  const { tenant, auditFile: file } = config;
  const { subjectBase, event } = prediction;
  const days = { values: config.valuesKeptDays, logs: config.logsKeptDays, feedback: config.feedbackKeptDays };
  const retention = createRetention({ database, tenant, clock, days, event });
  const frame = { fhirBase, own: ownBases(house) };
  const auditFile =
    file === undefined ? undefined : createAuditFile({ file, database: database.background, tenant, frame, event });
  retention.start();
  auditFile?.start();
  return {
    keep: (finished) =>
      accessLog.keep(accessRows(finished, { tenant, recorded: clock.now(), newId: randomUUID, fhirBase, subjectBase })),
    refuseUnaccounted: () => accessLog.refuseUnaccounted(),
    async close() {
      await retention.close();
      await auditFile?.close();
    },
  };
}
