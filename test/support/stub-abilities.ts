import type { IncomingHttpHeaders } from 'node:http';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import { recordTypes } from '../../src/records/clinical-record.ts';

/** What a stub server can do; as it is, it knows every parameter that is asked for. */
export interface StubAbilities {
  /** Search parameters by type; a type that is not there knows all. */
  readonly knows?: Readonly<Record<string, readonly string[]>>;
  /** A search without one of these is refused with 400, as Epic does. */
  readonly needs?: Readonly<Record<string, readonly string[]>>;
  /** Refuses an unknown parameter where the client asks for it (`Prefer: handling=strict`). */
  readonly honoursStrict?: boolean;
  /** Of its /metadata: types that it leaves out, or `silent` for one that lists no parameter. */
  readonly states?: { readonly without?: readonly string[]; readonly silent?: boolean };
  /** Says in its self link what was asked, instead of what it understood. */
  readonly hidesWhatItIgnored?: boolean;
}

const ownParameters = ['_count', 'page'];
const usual = ['patient', 'subject', 'member', 'code', 'category', 'type', 'date'];

/** The search as the server understands it: without the parameters that it does not know. */
export function understood(url: URL, type: string, { knows }: StubAbilities): URL {
  const known = knows?.[type];
  const meant = new URL(url);
  for (const name of [...meant.searchParams.keys()])
    if (known !== undefined && !known.includes(name) && !ownParameters.includes(name)) meant.searchParams.delete(name);
  return meant;
}

/** Whether the server refuses a search. */
export function isRefused(url: URL, type: string, headers: IncomingHttpHeaders, abilities: StubAbilities): boolean {
  const needs = abilities.needs?.[type];
  if (needs !== undefined && !needs.some((name) => url.searchParams.has(name))) return true;
  const strict = abilities.honoursStrict === true && String(headers.prefer).includes('handling=strict');
  return strict && understood(url, type, abilities).searchParams.size !== url.searchParams.size;
}

export function statementOf({ knows, states }: StubAbilities): CapabilityStatement {
  const types = recordTypes.filter((type) => states?.without?.includes(type) !== true);
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-01-01',
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [
      {
        mode: 'server',
        resource: types.map((type) => ({
          type,
          interaction: [{ code: 'read' }, { code: 'search-type' }],
          ...(states?.silent === true
            ? {}
            : { searchParam: (knows?.[type] ?? usual).map((name) => ({ name, type: 'token' as const })) }),
        })),
      },
    ],
  };
}
