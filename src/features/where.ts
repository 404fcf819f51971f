import type { Observation } from '@medplum/fhirtypes';
import type { WhereDefinition } from '../model-catalog/feature-map-schema.ts';
import { attendedStatuses } from './attendance.ts';
import { compileEncounterClass } from './encounter-class.ts';
import type { ExtractionContext } from './feature-extractor.ts';

/** Whether a measurement counts; `unknown` where it cannot be told and the map does not leave such ones out. */
export type WhereTest = (context: ExtractionContext, observation: Observation) => boolean | 'unknown';

/**
 * Measured in an encounter of one of the declared classes. Unknown is one that is not named or not in the record, did not
 * take place, or has a class that is not understood.
 */
export function compileWhere({ encounter, unknown }: WhereDefinition): WhereTest {
  const classOf = compileEncounterClass(encounter.class);
  const otherwise = unknown === 'abstain' ? 'unknown' : false;
  return ({ record }, observation) => {
    const reference = observation.encounter?.reference;
    const found = reference === undefined ? undefined : record.encounterBehind(reference);
    if (found === undefined || !attendedStatuses.includes(found.status)) return otherwise;
    const isWanted = classOf(found);
    return isWanted === 'unknown' ? otherwise : isWanted;
  };
}
