import type { Observation } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { WhereDefinition } from '../model-catalog/feature-map-schema.ts';
import type { ExtractionContext } from './feature-extractor.ts';

/** Whether a measurement counts; `unknown` where it cannot be told and the map does not leave such ones out. */
export type WhereTest = (context: ExtractionContext, observation: Observation) => boolean | 'unknown';

/** Measured in an encounter of one of the declared classes. An encounter that is not named or not in the record is unknown. */
export function compileWhere({ encounter, unknown }: WhereDefinition): WhereTest {
  const isWanted = compileTokens(encounter.class);
  const otherwise = unknown === 'abstain' ? 'unknown' : false;
  return ({ record }, observation) => {
    const reference = observation.encounter?.reference;
    const found = reference === undefined ? undefined : record.encounterBehind(reference);
    if (found === undefined || found.status === 'entered-in-error') return otherwise;
    return isWanted({ coding: [found.class] });
  };
}
