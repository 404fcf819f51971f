import { describe, expect, it } from 'vitest';
import { accessEvent } from '../../../src/entrances/audit/access-event.ts';
import { accessRows } from '../../../src/entrances/audit/access-rows.ts';
import type { AccessSettings } from '../../../src/http/access/access-schema.ts';
import { isPermitted, permissions } from '../../../src/http/access/permissions.ts';
import { principalOfClaims } from '../../../src/http/access/principal-of-claims.ts';

const fhirBase = 'https://fhirsight.example/fhir/R4';
const issuer = 'https://auth.example';
const settings: AccessSettings = {
  issuers: [],
  clients: [{ issuer, clientId: 'app', roles: [] }],
  staticTokens: [],
  cdsClients: [],
};

/** The row of a read by whoever a token names so. */
function rowOf(user: string, url = '/fhir/R4/Patient/17') {
  const claims = { issuer, clientId: 'app', scope: 'system/*.rs', expiresAt: 0, user };
  const principal = principalOfClaims(claims, settings, fhirBase);
  const finished = { requestId: 'r', principal, method: 'GET', url, route: url, status: 403, durationMs: 1 };
  const [row] = accessRows(finished, {
    tenant: 'ward',
    recorded: new Date('2026-03-01T10:00:00Z'),
    newId: () => '00000000-0000-4000-8000-000000000000',
    fhirBase,
    subjectBase: 'https://ehr.example/fhir',
  });
  if (row === undefined) throw new Error('no row');
  return row;
}

describe('AUD-1: the person that a token names', () => {
  it.each([
    ['Practitioner/17', 'Practitioner/17'],
    [`${fhirBase}/Practitioner/17`, 'Practitioner/17'],
    ['https://ehr.example/fhir/Practitioner/17', 'https://ehr.example/fhir/Practitioner/17'],
    ['https://ehr.example/fhir/Practitioner/1\u0000/Practitioner/17', null],
    ['somebody@ehr.example', null],
  ])('%j is kept as %j', (given, kept) => {
    expect(rowOf(given).user_ref).toBe(kept);
  });

  it.each([
    ['Practitioner/17', 'Practitioner/17'],
    ['https://ehr.example/fhir/Practitioner/17', 'https://ehr.example/fhir/Practitioner/17'],
  ])('%s is shown as somebody of that server, whichever the patient is of', (given, shown) => {
    for (const url of ['/fhir/R4/Patient/17', '/fhir/R4/Patient/17/$predict']) {
      const event = accessEvent(rowOf(given, url), { fhirBase, own: [fhirBase] });
      expect(event.agent.at(-1)?.who?.reference).toBe(shown);
    }
  });
});

describe('SM-12: scopes of this server', () => {
  const ours = 'https://auth.example';
  const theirs = 'https://auth.of-a-partner.example';
  const declared = (name: string, grantsOwnScopes: boolean) =>
    ({ issuer: name, jwksUri: `${name}/keys`, algorithms: ['RS384' as const], grantsOwnScopes }) satisfies object;
  const both: AccessSettings = {
    ...settings,
    issuers: [declared(ours, true), declared(theirs, false)],
    clients: [ours, theirs].map((name) => ({ issuer: name, clientId: 'app', roles: [] })),
  };
  const scope = `system/*.cruds ${permissions.map((permission) => `fhirsight/${permission}`).join(' ')}`;
  const allowed = (name: string, access: AccessSettings = both) => {
    const principal = principalOfClaims({ issuer: name, clientId: 'app', scope, expiresAt: 0 }, access, fhirBase);
    return permissions.filter((permission) => isPermitted(principal, permission));
  };

  it('are worth nothing from an issuer that may not grant them: nobody switches off a model by the token of a partner', () => {
    expect(allowed(theirs)).toEqual([]);
    expect(allowed(ours)).toEqual(permissions);
  });

  it('are worth nothing from an issuer that is declared no more, though its client still is', () => {
    expect(allowed(ours, { ...both, issuers: [] })).toEqual([]);
  });

  it('let nobody in from an issuer whose clients are not declared', () => {
    expect(() => allowed('https://attacker.example')).toThrow('its client is not declared');
  });
});
