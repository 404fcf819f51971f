import { parseArgs } from 'node:util';

export const help = `npm run conformance [-- --base URL …]

Without options this server is started with authentication, driven, and stopped.
  --base URL         another server is driven instead: the part before /cds-services
  --fhir URL         its FHIR base; absent: <base>/fhir/R4
  --model ID         the model that is asked over FHIR; absent: prevent-base
  --token TOKEN      an access token for its FHIR side
  --cds-issuer ISS --cds-key FILE
                     a registered CDS client: its issuer, and its private key as a JWK with kid and alg
  --ehr-port PORT    this driver serves a FHIR server at http://127.0.0.1:PORT/fhir, which that server lists
  --origin ORIGIN    an origin that it lists for CORS
  --allow-writes     synthetic patients may be stored there`;

/** What the command line says. */
export interface Options {
  readonly help: boolean;
  readonly base?: string;
  readonly fhir?: string;
  readonly model: string;
  readonly token?: string;
  readonly cdsIssuer?: string;
  readonly cdsKey?: string;
  readonly ehrPort?: number;
  readonly origin?: string;
  readonly allowWrites: boolean;
}

/** Reads the arguments. Throws where one is not known. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean' },
      base: { type: 'string' },
      fhir: { type: 'string' },
      model: { type: 'string' },
      token: { type: 'string' },
      'cds-issuer': { type: 'string' },
      'cds-key': { type: 'string' },
      'ehr-port': { type: 'string' },
      origin: { type: 'string' },
      'allow-writes': { type: 'boolean' },
    },
  });
  const given = {
    base: values.base?.replace(/\/+$/, ''),
    fhir: values.fhir?.replace(/\/+$/, ''),
    token: values.token,
    cdsIssuer: values['cds-issuer'],
    cdsKey: values['cds-key'],
    ehrPort: values['ehr-port'] === undefined ? undefined : Number(values['ehr-port']),
    origin: values.origin,
  };
  return {
    help: values.help === true,
    model: values.model ?? 'prevent-base',
    allowWrites: values['allow-writes'] === true,
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<Options>),
  };
}
