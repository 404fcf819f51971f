import { randomUUID } from 'node:crypto';
import { accessRows } from './entrances/audit/access-rows.ts';
import type { FinishedRequest } from './http/finished-request.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import type { House } from './wire.ts';

/** The account that is kept of every request. */
export interface Account {
  keep(finished: FinishedRequest): void;
  /** See `AccessLog`. */
  refuseUnaccounted(): void;
}

/** Requests into rows of the access log. */
export function accountOf({ accessLog, fhirBase, prediction }: House, config: Config, clock: Clock): Account {
  const { tenant } = config;
  const { subjectBase } = prediction;
  return {
    keep: (finished) =>
      accessLog.keep(accessRows(finished, { tenant, recorded: clock.now(), newId: randomUUID, fhirBase, subjectBase })),
    refuseUnaccounted: () => accessLog.refuseUnaccounted(),
  };
}
