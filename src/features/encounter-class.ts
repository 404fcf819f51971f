import type { Encounter } from '@medplum/fhirtypes';
import { compileTokens, systemsOf } from '../fhir/codes.ts';
import { changesMeaning } from './unknown-meaning.ts';

/**
 * Whether an encounter is of one of some classes; `unknown` where its class has no code, or one of a system that the list
 * does not use, and where the encounter must not be read.
 * @param classes `system|code`
 */
export function compileEncounterClass(classes: readonly string[]): (encounter: Encounter) => boolean | 'unknown' {
  const isWanted = compileTokens(classes);
  const systems = systemsOf(classes);
  return (encounter) => {
    const { system, code } = encounter.class;
    if (changesMeaning(encounter) || code === undefined || !systems.has(system ?? '')) return 'unknown';
    return isWanted({ coding: [encounter.class] });
  };
}
