import path from 'node:path';
import Type, { type Static } from 'typebox';

/** Signatures that a client may use. CDS Hooks recommends the first two; the others count only where a client declares them (CDS-64). */
const algorithm = Type.Union([
  Type.Literal('ES384'),
  Type.Literal('RS384'),
  Type.Literal('ES256'),
  Type.Literal('RS256'),
]);

const cdsClient = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9-]{1,40}$', description: 'for logs and the prediction log' }),
    issuer: Type.String({ minLength: 1, maxLength: 500, description: 'exactly as its tokens write it in `iss`' }),
    jku: Type.Optional(
      Type.Array(Type.String({ format: 'issuer-url' }), {
        minItems: 1,
        maxItems: 8,
        uniqueItems: true,
        description:
          'where its public keys are: the URLs that its tokens may name as `jku`, and no other is ever asked',
      }),
    ),
    keysFile: Type.Optional(
      Type.String({ minLength: 1, description: 'file with its public keys, in place of jku; its tokens name none' }),
    ),
    tenants: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        minItems: 1,
        uniqueItems: true,
        description: 'what its tokens must carry as `tenant`; without it they must carry none',
      }),
    ),
    algorithms: Type.Array(algorithm, {
      default: ['ES384', 'RS384'],
      minItems: 1,
      uniqueItems: true,
      description: 'signatures that are taken from it',
    }),
    fhirServers: Type.Array(Type.String({ format: 'fhir-base' }), {
      uniqueItems: true,
      description: 'FHIR servers that its calls may name as `fhirServer`, and no other',
    }),
    writesBack: Type.Boolean({
      default: false,
      description: 'true: what a call of it predicted may be written when its answer was late',
    }),
    systemActions: Type.Boolean({
      default: false,
      description: 'true: it has agreed to apply system actions, so that services may answer them',
    }),
  },
  { additionalProperties: false },
);

/** `cdsClients` of ACCESS_FILE: the EHRs that may call below `/cds-services`. */
export const cdsClientSection = Type.Array(cdsClient, { default: [], description: 'EHRs that may call CDS Hooks' });

/** One client with its defaults; exactly one of `jku` and `keysFile` is set, paths are absolute, bases in one spelling. */
export type CdsClientSettings = Readonly<Static<typeof cdsClient>>;

/** What the schema cannot say: names and issuers declared twice, and clients whose tokens nothing could verify. */
export function faultsOfCdsClients(clients: readonly CdsClientSettings[]): string[] {
  return clients.flatMap((client, index) => {
    const at = `/cdsClients/${index}`;
    const faults: string[] = [];
    if ((client.jku === undefined) === (client.keysFile === undefined))
      faults.push(`${at} needs exactly one of jku and keysFile.`);
    for (const field of ['name', 'issuer'] as const) {
      if (clients.findIndex((other) => other[field] === client[field]) !== index)
        faults.push(`${at}/${field} '${client[field]}' is declared twice. Each client has a ${field} of its own.`);
    }
    return faults;
  });
}

/** In the form that the rest of the house knows. @param folder of ACCESS_FILE */
export function locatedCdsClient(client: CdsClientSettings, folder: string): CdsClientSettings {
  const { keysFile, fhirServers } = client;
  return {
    ...client,
    ...(keysFile === undefined ? {} : { keysFile: path.resolve(folder, keysFile) }),
    fhirServers: fhirServers.map((base) => new URL(base).href.replace(/\/+$/, '')),
  };
}

/** An absolute http or https URL without user, password, query or fragment. */
export function isFhirBase(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
  return url.username === '' && url.password === '' && !/[?#]/.test(text);
}
