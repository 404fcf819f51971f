import type {
  CapabilityStatement,
  CapabilityStatementRestResource,
  CapabilityStatementRestSecurity,
  OperationDefinition,
} from '@medplum/fhirtypes';
import { resourceTypes } from './resource-types.ts';
import { type SearchParameter, searchElements, searchParametersOf } from './store/search-parameters.ts';

export interface OfferedOperation {
  /** Without the dollar sign. */
  readonly name: string;
  /** Canonical URL of its OperationDefinition. */
  readonly definition: string;
  /** True where the base itself takes it. */
  readonly system: boolean;
  /** The types whose URLs take it. */
  readonly resources: readonly string[];
}

/** An operation as its definition offers it. */
export function offeredOperation({
  code = '',
  url = '',
  system,
  resource = [],
}: OperationDefinition): OfferedOperation {
  return { name: code, definition: url, system: system === true, resources: resource };
}

/** Who may ask, in the words of the statement. */
export interface OfferedSecurity {
  /** True where access tokens of SMART on FHIR are asked for. */
  readonly smart: boolean;
  /** True where web pages of other origins may ask. */
  readonly cors: boolean;
  readonly description: string;
}

/** A type that is only read and searched: not kept in the store. */
export interface ReadOnlyType {
  readonly type: string;
  readonly searchParam: NonNullable<CapabilityStatementRestResource['searchParam']>;
}

const searchTypes: Readonly<Record<SearchParameter, 'token' | 'date' | 'reference' | 'uri' | 'string'>> = {
  _id: 'token',
  _lastUpdated: 'date',
  identifier: 'token',
  patient: 'reference',
  subject: 'reference',
  member: 'reference',
  target: 'reference',
  encounter: 'reference',
  code: 'token',
  category: 'token',
  status: 'token',
  date: 'date',
  gender: 'token',
  birthdate: 'date',
  active: 'token',
  deceased: 'token',
  url: 'uri',
  value: 'string',
  started: 'date',
  modality: 'token',
  endpoint: 'reference',
};

const interactions = ['read', 'vread', 'update', 'delete', 'history-instance', 'create', 'search-type'] as const;

/** What this server does, and nothing else: the answer to /metadata. */
export function capabilityStatement(options: {
  readonly baseUrl: string;
  readonly version: string;
  /** When the server started, or was built: the date of the statement. */
  readonly date: Date;
  readonly operations: readonly OfferedOperation[];
  readonly readOnly?: readonly ReadOnlyType[];
  readonly security: OfferedSecurity;
}): CapabilityStatement {
  const readOnly = new Map((options.readOnly ?? []).map((only) => [only.type, only]));
  return {
    resourceType: 'CapabilityStatement',
    url: `${options.baseUrl}/metadata`,
    name: 'Fhirsight',
    title: 'fhirsight: predictions over FHIR',
    status: 'active',
    date: options.date.toISOString(),
    kind: 'instance',
    software: { name: 'fhirsight', version: options.version },
    implementation: { description: 'fhirsight: predictive models served over a FHIR store', url: options.baseUrl },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    rest: [
      {
        mode: 'server',
        documentation:
          'A search parameter, modifier or prefix that is not listed is refused. Prefixes of dates: eq, ne, gt, lt, ge, le, sa, eb. ' +
          'Results: _sort, _count (at most 1000), _total (none, accurate), _summary (count). Conditional references are resolved in transactions. ' +
          'An operation that is asked for with Prefer: respond-async is answered 202 with Content-Location, and there, once it is done, ' +
          '200 with a Bundle of type batch-response (the pattern that R5 adds for Bundles), never with the manifest of bulk data.',
        security: securityOf(options.security),
        resource: [...resourceTypes].sort().map((type) => {
          const only = readOnly.get(type);
          return only === undefined ? restResource(type, options.operations) : readOnlyResource(only);
        }),
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
        ...operationsOf(options.operations.filter(({ system }) => system)),
      },
    ],
  };
}

function restResource(type: string, operations: readonly OfferedOperation[]): CapabilityStatementRestResource {
  const offered = operations.filter(({ resources }) => resources.includes(type));
  return {
    type: type as CapabilityStatementRestResource['type'],
    interaction: interactions.map((code) => ({ code })),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: 'not-supported',
    referencePolicy: ['literal', 'local'],
    searchParam: searchParametersOf(type).map((name) => ({
      name,
      type: searchTypes[name],
      ...(name.startsWith('_') ? {} : { documentation: documentationOf(type, name) }),
    })),
    ...operationsOf(offered),
  };
}

function operationsOf(offered: readonly OfferedOperation[]): Pick<CapabilityStatementRestResource, 'operation'> {
  return offered.length === 0 ? {} : { operation: offered.map(({ name, definition }) => ({ name, definition })) };
}

function securityOf({ smart, cors, description }: OfferedSecurity): CapabilityStatementRestSecurity {
  const system = 'http://terminology.hl7.org/CodeSystem/restful-security-service';
  return { cors, ...(smart ? { service: [{ coding: [{ system, code: 'SMART-on-FHIR' }] }] } : {}), description };
}

function readOnlyResource({ type, searchParam }: ReadOnlyType): CapabilityStatementRestResource {
  return {
    type: type as CapabilityStatementRestResource['type'],
    interaction: [{ code: 'read' }, { code: 'search-type' }],
    versioning: 'no-version',
    searchParam,
  };
}

function documentationOf(type: string, name: SearchParameter): string {
  const paths = searchElements[type]?.[name as keyof (typeof searchElements)[string]] ?? [];
  return paths.map((path) => `${type}.${path}`).join(name === 'date' ? ', else ' : ', ');
}
