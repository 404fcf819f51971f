import { resourceTypes } from '../../fhir/resource-types.ts';

/** create, read (and vread, history of one), update, delete, search. */
export type Interaction = 'c' | 'r' | 'u' | 'd' | 's';

/** For whom a token speaks: the patient of its launch, a person, or a program for itself. */
export type ScopeContext = 'patient' | 'user' | 'system';

/** One FHIR scope that grants something. */
export interface FhirScope {
  readonly context: ScopeContext;
  /** A type of FHIR R4, or `*` for all. */
  readonly type: string;
  readonly interactions: ReadonlySet<Interaction>;
}

/** What a `scope` claim grants. */
export interface Scopes {
  readonly fhir: readonly FhirScope[];
  /** Permissions of this server: what stands behind `fhirsight/`. */
  readonly own: ReadonlySet<string>;
}

/** The longest claim that is read, in characters: all scopes of all types by name are shorter. */
const longest = 20_000;

const version1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/**
 * Scopes by the grammar of SMART 2.2, version 2 and version 1 (SM-10, SM-11); nothing is found by its beginning or by a part
 * of it. What is no scope of data (`openid`, `launch`) grants nothing here, and neither does one with search parameters
 * (SM-13: they would have to filter, so they are not granted) or one whose letters are out of order.
 * @param claim the space-separated list, as in a token or an introspection
 */
export function parseScopes(claim: string): Scopes {
  const fhir: FhirScope[] = [];
  const own = new Set<string>();
  for (const text of claim.length > longest ? [] : claim.split(' ')) {
    const [, permission] = /^fhirsight\/([a-z-]+\.[a-z-]+)$/.exec(text) ?? [];
    if (permission !== undefined) own.add(permission);
    const scope = fhirScope(text);
    if (scope !== undefined) fhir.push(scope);
  }
  return { fhir, own };
}

function fhirScope(text: string): FhirScope | undefined {
  const [, context, type = '', letters = ''] = /^(patient|user|system)\/(\*|[A-Za-z]+)\.([a-z]+|\*)$/.exec(text) ?? [];
  if (context === undefined || (type !== '*' && !resourceTypes.has(type))) return undefined;
  const granted = Object.hasOwn(version1, letters) ? (version1[letters] ?? '') : letters;
  if (!/^(?=.)c?r?u?d?s?$/.test(granted)) return undefined;
  return { context: context as ScopeContext, type, interactions: new Set(granted) as ReadonlySet<Interaction> };
}
