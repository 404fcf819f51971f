import { PredictionError } from '../../platform/errors.ts';
import type { FhirAccess, Principal } from '../principal.ts';
import type { Interaction } from './scopes.ts';

/** About whom a principal may do something: everybody, the patient of its launch, or nobody. */
export type Reach =
  | { readonly of: 'everybody' }
  | { readonly of: 'patient'; readonly id: string }
  | { readonly of: 'nobody' };

/**
 * About whom the scopes allow an interaction with a type. `system/` and `user/` are about everybody of this store, which
 * knows no rights of single users; `patient/` is about the patient of the launch, and about nobody where none is named.
 */
export function reachOf(principal: Principal, type: string, interaction: Interaction): Reach {
  const { fhir } = principal;
  if (fhir === 'everything') return { of: 'everybody' };
  const contexts = new Set(
    (fhir?.scopes ?? [])
      .filter((scope) => scope.interactions.has(interaction) && (scope.type === '*' || scope.type === type))
      .map(({ context }) => context),
  );
  if (contexts.has('system') || contexts.has('user')) return { of: 'everybody' };
  return contexts.has('patient') && fhir?.patient !== undefined
    ? { of: 'patient', id: fhir.patient }
    : { of: 'nobody' };
}

/** An interaction that something needs. */
export interface DataNeed {
  readonly type: string;
  readonly interaction: Interaction;
}

/**
 * Throws FORBIDDEN where a principal may not do all of this about a patient, naming what is missing.
 * @param subject undefined where it is about many
 */
export function requireData(principal: Principal, needs: readonly DataNeed[], subject: string | undefined): void {
  const missing = needs.filter(({ type, interaction }) => {
    const reach = reachOf(principal, type, interaction);
    return reach.of === 'nobody' || (reach.of === 'patient' && reach.id !== subject);
  });
  if (missing.length === 0) return;
  throw insufficientScope(missing);
}

export function insufficientScope(missing: readonly DataNeed[]): PredictionError {
  const scopes = missing.map(({ type, interaction }) => `system/${type}.${interaction}`).join(' ');
  return new PredictionError(
    'FORBIDDEN',
    `The token does not allow this; it lacks ${scopes} (user/ does as well, and patient/ for the patient of its launch).`,
  );
}

/** Whether nothing but `patient/` scopes with a launch are there: then whatever is asked must be about that patient. */
export function launchPatientOnly(access: FhirAccess | 'everything' | undefined): string | undefined {
  if (access === undefined || access === 'everything' || access.patient === undefined) return undefined;
  return access.scopes.every(({ context }) => context === 'patient') ? access.patient : undefined;
}
