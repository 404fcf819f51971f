import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CdsClient, createCdsClient } from '../cds-client.ts';
import { type IssuerKey, makeKey } from '../token-issuer.ts';

/** Who may call the server that is fuzzed, with their keys, and somebody who may not. */
export interface CallerKeys {
  readonly issuer: string;
  /** Its tokens may carry permissions of this server. */
  readonly granting: string;
  readonly rsa: IssuerKey;
  readonly ec: IssuerKey;
  /** Of nobody, under the key id of `rsa`. */
  readonly stranger: IssuerKey;
  readonly ehr: CdsClient;
  readonly tenantEhr: CdsClient;
  /** Says that it is `ehr`. */
  readonly strangerEhr: CdsClient;
  readonly staticToken: string;
  /** Path of the ACCESS_FILE. */
  readonly accessFile: string;
}

/** Clients of the issuer by the role that they have. */
export const clientOf = {
  caller: 'dashboard',
  operator: 'operations',
  auditor: 'privacy',
  'model-owner': 'owners',
  reviewer: 'reading-room',
  none: 'archive',
} as const;

/** Makes the keys, and writes the ACCESS_FILE and what it names into a folder. */
export async function writeCallerKeys(folder: string): Promise<CallerKeys> {
  const [issuer, granting] = ['https://login.fuzz.example', 'https://granting.fuzz.example'];
  const ehrIssuer = 'https://ehr.fuzz.example';
  const [rsa, ec, stranger, ehr, tenantEhr, strangerEhr] = await Promise.all([
    makeKey('rsa-1', 'RS384'),
    makeKey('ec-1', 'ES384'),
    makeKey('rsa-1', 'RS384'),
    createCdsClient({ issuer: ehrIssuer }),
    createCdsClient({ issuer: 'https://north.fuzz.example', tenant: 'north', alg: 'RS384' }),
    createCdsClient({ issuer: ehrIssuer }),
  ]);
  const staticToken = 'a-static-token-of-the-fuzzer';
  const files = {
    'keys.json': { keys: [rsa.publicJwk, ec.publicJwk] },
    'ehr.json': ehr.keySet(),
    'north.json': tenantEhr.keySet(),
    'access.json': {
      issuers: [
        { issuer, jwksFile: 'keys.json', tenant: { claim: 'tid', value: 'clinic' } },
        { issuer: granting, jwksFile: 'keys.json', grantsOwnScopes: true },
      ],
      clients: [
        { issuer, clientId: clientOf.caller },
        ...(['operator', 'auditor', 'model-owner', 'reviewer'] as const).map((role) => ({
          issuer,
          clientId: clientOf[role],
          roles: [role],
        })),
        { issuer, clientId: clientOf.none, roles: [] },
        { issuer: granting, clientId: clientOf.none, roles: [] },
      ],
      staticTokens: [{ name: 'prometheus', tokenFile: 'static', roles: ['operator'] }],
      cdsClients: [
        { name: 'ehr', issuer: ehr.issuer, keysFile: 'ehr.json', fhirServers: [] },
        { name: 'north', issuer: tenantEhr.issuer, keysFile: 'north.json', tenants: ['north'], fhirServers: [] },
      ],
    },
  };
  for (const [name, value] of Object.entries(files)) await writeFile(path.join(folder, name), JSON.stringify(value));
  await writeFile(path.join(folder, 'static'), staticToken);
  return {
    issuer,
    granting,
    rsa,
    ec,
    stranger,
    ehr,
    tenantEhr,
    strangerEhr,
    staticToken,
    accessFile: path.join(folder, 'access.json'),
  };
}
