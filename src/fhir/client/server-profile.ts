import type { CapabilityStatement } from '@medplum/fhirtypes';

/** How one type may be searched for at a server. */
export interface SearchAbility {
  /** Search parameters that the server knows; absent: nobody says. */
  readonly parameters?: ReadonlySet<string>;
  /** A search must name one of these, or it is refused there. */
  readonly needs?: readonly string[];
  /** Every category that the server files resources of the type under: asked for, they are all resources. */
  readonly categories?: readonly string[];
}

/** What a FHIR server can do, by its own statement and by the word of the site. */
export interface ServerProfile {
  /** `_count` of a search; the server may give less at a time. */
  readonly pageSize?: number;
  /** It is the server whose searches a site may replace: the replacements say nothing of any other. */
  readonly takesSiteSearches: boolean;
  /** Undefined for a type that the server says it does not search. */
  abilityOf(type: string): SearchAbility | undefined;
}

/** What a site says of its server (`FHIR_SERVER_PROFILE`); it goes before what the server says of itself. */
export interface DeclaredServer {
  readonly pageSize?: number;
  /** `ignore`: /metadata is not read, and nothing is concluded from it. */
  readonly metadata?: 'read' | 'ignore';
  readonly types?: Readonly<
    Record<
      string,
      {
        readonly parameters?: readonly string[];
        readonly needs?: readonly string[];
        readonly allCategories?: readonly string[];
      }
    >
  >;
}

/** Any server of which nothing is known: it is searched as FHIR R4 says. */
export const anyServer: ServerProfile = { takesSiteSearches: false, abilityOf: () => ({}) };

/** The configured server. @param statement its own; absent: it is not known */
export function serverProfile(declared: DeclaredServer, statement?: CapabilityStatement): ServerProfile {
  const stated = statement === undefined ? undefined : searchesOf(statement);
  const abilities = new Map<string, SearchAbility | undefined>();
  const abilityOf = (type: string): SearchAbility | undefined => {
    const own = declared.types?.[type];
    const known = stated === undefined ? {} : stated.get(type);
    if (own === undefined) return known;
    const { parameters, needs, allCategories } = own;
    return {
      ...known,
      ...(parameters && { parameters: new Set(parameters) }),
      ...(needs && { needs }),
      ...(allCategories && { categories: allCategories }),
    };
  };
  return {
    ...(declared.pageSize === undefined ? {} : { pageSize: declared.pageSize }),
    takesSiteSearches: true,
    abilityOf: (type) => {
      if (!abilities.has(type)) abilities.set(type, abilityOf(type));
      return abilities.get(type);
    },
  };
}

/** Types that the statement lets be searched, with their parameters; a type that lists none says nothing of them. */
function searchesOf({ rest = [] }: CapabilityStatement): Map<string, SearchAbility> {
  const searches = new Map<string, SearchAbility>();
  for (const { resource = [] } of rest.filter(({ mode }) => mode === 'server')) {
    for (const { type, interaction, searchParam = [] } of resource) {
      if (type === undefined) continue;
      if (interaction !== undefined && !interaction.some(({ code }) => code === 'search-type')) continue;
      const names = searchParam.flatMap(({ name }) => name ?? []);
      searches.set(type, names.length === 0 ? {} : { parameters: new Set(names) });
    }
  }
  return searches;
}
