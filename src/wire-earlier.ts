import type { EarlierAsked } from './entrances/cds-hooks/answer-hook.ts';
import { type EarlierResult, findEarlierResult } from './monitoring/earlier-result.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { subjectBaseOf } from './prediction/open-server.ts';
import { addDuration } from './results/duration.ts';
import type { House } from './wire.ts';

/** The earlier result that a call may show in the place of a late one: not older than its manifest allows, and still valid. */
export async function findEarlier(
  house: House,
  { tenant, siteTimeZone }: Config,
  clock: Clock,
  { base, validFor, reusedForMs, ...question }: EarlierAsked,
): Promise<EarlierResult | undefined> {
  const now = clock.now();
  const found = await findEarlierResult(house.database, {
    ...question,
    tenant,
    fhirBase: await subjectBaseOf(house.prediction, base),
    since: new Date(now.getTime() - reusedForMs),
    now,
  });
  return found === undefined || addDuration(found.asOf, validFor, siteTimeZone) <= now ? undefined : found;
}

/** Whether a call names this server's own store as its fhirServer, under whichever of its addresses. */
export function isOwnStore({ prediction }: House, base: string): boolean {
  const server = prediction.openServer(base, undefined);
  // Of another server nothing is open that could fail to close: it was asked nothing.
  void server?.close();
  return server?.source.own === true;
}
