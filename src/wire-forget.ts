import { randomUUID } from 'node:crypto';
import type { Resource } from '@medplum/fhirtypes';
import { fhirBaseSpellings } from './entrances/audit/fhir-base-spellings.ts';
import { belowBase, canonicalReference, isFhirId } from './fhir/reference.ts';
import { indexRow } from './fhir/store/index-row.ts';
import { type Forgetting, forgetSubject } from './monitoring/forget-subject.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { PredictionError } from './platform/errors.ts';
import { keepOnce } from './platform/settings-table.ts';
import type { Run } from './runs/run.ts';
import { searchOf } from './runs/sealed-cohort.ts';
import type { House } from './wire.ts';

/** Whose data are to go, as a command or a call names them. */
export interface ForgetRequest {
  /** Logical id of the Patient. */
  readonly patient: string;
  /** FHIR base of its server; absent: the record source. */
  readonly server?: string;
  /** False: what would be removed is counted, and nothing is. */
  readonly confirmed: boolean;
  readonly way: 'http' | 'command-line';
  readonly requestId?: string;
}

export type Forget = (request: ForgetRequest) => Promise<Forgetting>;

/** The base of subjects whose record only a caller held, who did not say of which server. */
function isCaller(server: string): boolean {
  return server === 'urn:fhirsight:caller';
}

/** Removes what may be removed of one subject of one server, and keeps account of it. Throws PARAMETER_INVALID. */
export function forgetOf(house: House, config: Config, clock: Clock): Forget {
  const { database, fhirBase, source, accessLog } = house;
  const { tenant } = config;
  return async ({ patient, server = source.base, confirmed, way, requestId = randomUUID() }) => {
    if (!isFhirId(patient))
      throw new PredictionError('PARAMETER_INVALID', 'A Patient is named by its logical id, as Patient/17.');
    const startedMs = performance.now();
    const own = [...new Set([fhirBase, await keepOnce(database, tenant, 'own-fhir-base', fhirBase)])];
    const isOwn = own.some((base) => belowBase(`${server.replace(/\/+$/, '')}/x`, base) === 'x');
    const bases = isOwn ? own : isCaller(server) ? [server] : fhirBaseSpellings(server.replace(/\/+$/, ''));
    const references = [...(isOwn ? [`Patient/${patient}`] : []), ...bases.map((base) => `${base}/Patient/${patient}`)];
    const reading = {
      patientsOf: (resource: object) => indexRow(resource as Resource, fhirBase, config.siteTimeZone).patients,
      searchOf: (run: Pick<Run, 'id' | 'keptCohort'>) => searchOf(run, house.sealing.work),
      canonical: (reference: string) => canonicalReference(reference, fhirBase, 'Patient'),
    };
    const subject = { tenant, id: patient, bases, references };
    const forgetting = await forgetSubject(database, subject, reading, confirmed);
    if (!confirmed) return forgetting;
    const rows = Object.values(forgetting.removed).reduce((sum, removed) => sum + removed, 0);
    house.prediction.event({ name: 'subject.forgotten', rows });
    accessLog.keep([
      {
        id: randomUUID(),
        tenant,
        recorded: clock.now(),
        request_id: requestId,
        way,
        client: 'fhirsight forget',
        client_key: way,
        user_ref: null,
        proved_by: 'static-token',
        action: 'D',
        interaction: null,
        route: 'forget',
        fhir_base: bases[0] ?? fhirBase,
        resource_type: 'Patient',
        resource_id: patient,
        subject_id: patient,
        query: null,
        status: 200,
        error_code: null,
        total_ms: performance.now() - startedMs,
      },
    ]);
    return forgetting;
  };
}
