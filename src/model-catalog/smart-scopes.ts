import type { FeatureMap } from './feature-map-schema.ts';
import { neededTypes } from './needed-types.ts';

/** Scopes with a blank between them, as they stand in a request for a token, by who is authorised. */
export interface ScopesOfLevel {
  /** One patient, named by the launch. */
  readonly patient: string;
  /** Whatever the user may see. */
  readonly user: string;
  /** A server that asks by itself. */
  readonly system: string;
}

/** SMART App Launch scopes in the syntax of version 1 (`.read`) and of version 2 (`.r`, `.rs`). */
export interface SmartScopes {
  readonly v1: ScopesOfLevel;
  readonly v2: ScopesOfLevel;
}

/**
 * The least scopes with which the record can be read that one or several models need; nothing is written. Version 2 asks
 * for search only where a search is sent. A cohort that is found by a search at that server needs `system/Patient.rs` too.
 */
export function smartScopes(maps: readonly FeatureMap[], optOutBy: readonly ('consent' | 'group')[]): SmartScopes {
  const needed = neededTypes(maps, optOutBy);
  const level = (name: string, rights: (by: 'search' | 'id') => string): string =>
    needed.map(({ type, by }) => `${name}/${type}.${rights(by)}`).join(' ');
  const levels = (rights: (by: 'search' | 'id') => string): ScopesOfLevel => ({
    patient: level('patient', rights),
    user: level('user', rights),
    system: level('system', rights),
  });
  return { v1: levels(() => 'read'), v2: levels((by) => (by === 'id' ? 'r' : 'rs')) };
}
