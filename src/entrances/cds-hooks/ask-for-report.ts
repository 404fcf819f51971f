import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import type { AskedStudy, HookEntrance, HookServiceCall } from './answer-hook.ts';
import type { Pending } from './report-unshown.ts';

export interface ReportWanted {
  /** As the call asks; of it the job takes who asks about whom, and no token. */
  readonly asked: PredictionRequest;
  /** The fhirServer of the call. */
  readonly base: string;
  readonly study: AskedStudy;
  /** Id of the service. */
  readonly service: string;
}

/**
 * Has the report of a study made behind the call, where it may be: of a patient of the record source, whose record needs no
 * token of a call, and for a client that may have results written. On a server without authentication whoever calls may have
 * `$predict` write them too.
 */
export async function askForReport(
  { reports }: Pick<HookEntrance, 'reports'>,
  { principal, event }: Pick<HookServiceCall, 'principal' | 'event'>,
  { asked, base, study, service }: ReportWanted,
): Promise<Pending> {
  if (!reports.areMadeFor(base)) return 'elsewhere';
  if (!principal.cdsHooks.writesBack && principal.fhir !== 'everything') return 'not-allowed';
  try {
    return (await reports.ask(asked, study)) === 'ended' ? 'resting' : 'asked';
  } catch (error) {
    event({ name: 'cds-hook.report-unasked', service, error });
    return 'busy';
  }
}
