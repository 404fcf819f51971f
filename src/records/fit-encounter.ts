import type { Encounter, Resource } from '@medplum/fhirtypes';
import { instantRange } from '../fhir/instant-range.ts';
import { PredictionError } from '../platform/errors.ts';
import { ownership } from './check-seeds.ts';
import { type Place, placeOf } from './place-of.ts';
import type { Subject } from './subject.ts';

/** Where a day begins first on earth: an encounter's date without a time is never taken for later than it is. */
const easternmost = 'Pacific/Kiritimati';
/** As-of is cut to the minute where the caller names none, and an encounter may have begun within that minute. */
const asOfPrecisionMs = 60_000;

/**
 * The encounter that a prediction is asked for, as the source has it under this id. Throws RESOURCE_UNKNOWN where there
 * is none, SUBJECT_FOREIGN for that of somebody else, and PARAMETER_INVALID for one that did not take place or had not
 * begun at as-of.
 */
export function fitEncounter(
  encounter: Resource | undefined,
  id: string,
  source: Place,
  subject: Subject,
  asOf: Date,
): Encounter {
  if (encounter?.resourceType !== 'Encounter') {
    throw new PredictionError(
      'RESOURCE_UNKNOWN',
      `There is no Encounter/${id} ${placeOf(source)}. Send the logical id of an encounter of the subject, or none.`,
    );
  }
  if (ownership(encounter, subject) !== 'subject') {
    throw new PredictionError(
      'SUBJECT_FOREIGN',
      `Encounter/${id} ${placeOf(source)} does not belong to Patient/${subject.id}. Send an encounter of the subject, or none.`,
    );
  }
  const { status, period } = encounter;
  if (status === 'entered-in-error' || status === 'cancelled') {
    throw unfit(id, source, `has the status ${status}: it did not take place`);
  }
  const start = instantRange(period?.start ?? '', easternmost)?.start;
  if (start !== undefined && start >= asOf.getTime() + asOfPrecisionMs) {
    throw unfit(id, source, `begins after as-of (${asOf.toISOString()})`);
  }
  return encounter;
}

function unfit(id: string, source: Place, what: string): PredictionError {
  const message = `Encounter/${id} ${placeOf(source)} ${what}. Send an encounter that had begun at as-of, or none.`;
  return new PredictionError('PARAMETER_INVALID', message, { issues: [{ code: 'business-rule', message }] });
}
