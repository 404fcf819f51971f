import Type, { type Static } from 'typebox';
import { keptDays, milliseconds, optional, type SettingNotes, text, whole } from './setting-kinds.ts';

/**
 * Every setting, its default, unit and limits. The variable's name is the property's in capitals: `fhirTimeoutMs` is
 * FHIR_TIMEOUT_MS.
 */
export const configSchema = Type.Object(
  {
    port: whole({
      description: 'TCP port of the server; 0 takes any free one and prints it.',
      allowed: 'a whole number from 0 to 65535',
      default: 8080,
      minimum: 0,
      maximum: 65535,
    }),
    host: text({
      description: 'Address to listen on. One that other machines reach needs AUTH=required and PUBLIC_BASE_URL.',
      allowed: 'an IP address without brackets, or a host name; with AUTH=none a loopback address only',
      default: '127.0.0.1',
      format: 'host',
    }),
    auth: Type.Union([Type.Literal('none'), Type.Literal('required')], {
      description:
        'Whether callers must prove who they are. none: whoever reaches the server may do everything, so HOST must be loopback.',
      allowed: 'none or required',
      default: 'none',
    }),
    accessFile: optional(
      text({
        description:
          'JSON file that says who may call: issuers of access tokens, clients and their roles; needed where AUTH is required.',
        allowed: 'a path this user may read',
      }),
    ),
    tlsCertFile: optional(
      text({
        description:
          'Certificate in PEM, with those of its chain; without it the server speaks plain HTTP, for a proxy before it.',
        allowed: 'a path this user may read',
      }),
    ),
    tlsKeyFile: optional(
      text({
        description: 'Private key in PEM of the certificate, without a passphrase.',
        allowed: 'a path this user may read, and nobody else should',
      }),
    ),
    dataDir: text({
      description: 'Folder of the embedded database and of the lock that keeps a second server out.',
      allowed: 'a path this user may write to',
      default: '.fhirsight',
    }),
    modelsDir: text({
      description: 'Folder of the models: <model-id>/<version>/manifest.json and what belongs to it.',
      allowed: 'a path this user may read',
      default: 'models',
    }),
    fhirBaseUrl: optional(
      text({
        description: 'FHIR R4 server that clinical data are read from; the own store where it is not set.',
        allowed: 'an absolute http or https URL without user, password, query or fragment',
        format: 'base-url',
      }),
    ),
    fhirClientId: optional(
      text({
        description:
          'Client id under which this server is registered at FHIR_BASE_URL for SMART Backend Services; without it that server is asked without a token.',
        allowed: 'the client id as it was given there',
        pattern: '^[\\x20-\\x7e]{1,500}$',
      }),
    ),
    fhirClientKeysFile: optional(
      text({
        description:
          'JWK Set with the private keys that sign for FHIR_CLIENT_ID; their public parts are served at /.well-known/jwks.json.',
        allowed: 'a path this user may read, and nobody else should',
      }),
    ),
    fhirTokenUrl: optional(
      text({
        description:
          'Token endpoint for FHIR_BASE_URL; needed where it is not at the origin of that server, whose SMART configuration is asked otherwise.',
        allowed: 'an absolute https URL (http for a loopback address only) without user, password, query or fragment',
        format: 'guarded-url',
      }),
    ),
    fhirClientScopes: optional(
      text({
        description:
          'Scopes that are asked for at FHIR_TOKEN_URL, where that server wants other words for what the served models read.',
        allowed: 'SMART scopes with a blank between them',
        pattern: '^[\\x21-\\x7e]+( [\\x21-\\x7e]+)*$',
      }),
    ),
    fhirServerProfile: optional(
      text({
        description:
          'JSON file that says what the server at FHIR_BASE_URL can do, beside its /metadata, and which searches stand in the place of ours.',
        allowed: 'a path this user may read',
      }),
    ),
    databaseUrl: optional(
      text({
        description: 'PostgreSQL server for all that is stored; an embedded database in DATA_DIR where it is not set.',
        allowed: 'postgres://user:password@host:port/database',
        format: 'postgres-url',
        secret: true,
      }),
    ),
    publicBaseUrl: optional(
      text({
        description:
          'URL under which clients see this server, where a proxy stands before it. What results and cards link to begins with it.',
        allowed: 'an absolute https URL (http for a loopback address only) without user, password, query or fragment',
        format: 'guarded-url',
      }),
    ),
    siteTimeZone: text({
      description: 'Time zone of the site: a date without a time means a day there.',
      allowed: 'an IANA time zone such as Europe/Berlin, America/New_York or UTC',
      default: 'UTC',
      format: 'time-zone',
    }),
    tenant: text({
      description: 'Name of the tenant that every stored row belongs to.',
      allowed: 'lower-case letters, digits and dashes, at most 64',
      default: 'default',
      pattern: '^[a-z0-9-]{1,64}$',
    }),
    samplePatients: whole({
      description: 'How many synthetic patients are loaded into an empty own store on the first start; 0 loads none.',
      unit: 'patients',
      allowed: 'a whole number from 0 to 10000',
      default: 100,
      minimum: 0,
      maximum: 10_000,
    }),
    maxBodyMb: whole({
      description: 'Largest request body that is read.',
      unit: 'megabytes (1,000,000 bytes)',
      allowed: 'a whole number from 1 to 200',
      default: 10,
      minimum: 1,
      maximum: 200,
    }),
    fhirTimeoutMs: whole({
      ...milliseconds,
      description: 'How long one request to FHIR_BASE_URL may take, its body included.',
      default: 10_000,
    }),
    fhirMaxResources: whole({
      description: 'Resources that one search for a subject may find before it is refused as unreachable.',
      unit: 'resources',
      allowed: 'a whole number from 1 to 1000000',
      default: 20_000,
      minimum: 1,
      maximum: 1_000_000,
    }),
    predictTimeoutMs: whole({
      ...milliseconds,
      description:
        'How long one prediction may wait for the record and for the model. A computation that has begun is finished, and its result dropped.',
      default: 30_000,
    }),
    asyncAboveSeconds: whole({
      description:
        'A model whose manifest declares a longer cost.seconds answers $predict asynchronously (202), unless the caller sends Prefer: wait with at least that time.',
      unit: 'seconds',
      allowed: 'a whole number from 1 to 86400',
      default: 10,
      minimum: 1,
      maximum: 86_400,
    }),
    maxOpenRequests: whole({
      description:
        'Requests under way at once, those of CDS Hooks and all others each; more are refused with 503 and Retry-After before they are read, so that those under way stay in time. Fewer while the server is behind, but not fewer than 32.',
      unit: 'requests',
      allowed: 'a whole number from 1 to 100000',
      default: 128,
      minimum: 1,
      maximum: 100_000,
    }),
    maxRequestsPerMinute: whole({
      description:
        'Requests of one client, or of one address (but loopback) where no client is proved; more are refused with 429 and Retry-After. Each server counts for itself, /admin is not counted, and nobody with AUTH=none. 0 for no limit.',
      unit: 'requests',
      allowed: 'a whole number from 0 to 10000000',
      default: 6_000,
      minimum: 0,
      maximum: 10_000_000,
    }),
    maxFailedLoginsPerMinute: optional(
      Type.Integer({
        description:
          'Tokens that do not hold, from one address (but loopback), in a minute; further ones are refused with 429, while one that holds is let in. /admin is not counted. Where it is not set: 60, and no limit with PUBLIC_BASE_URL and without TLS_CERT_FILE, where a proxy stands before this server and all callers share its address. 0 for no limit.',
        unit: 'tokens',
        allowed: 'a whole number from 0 to 10000000',
        minimum: 0,
        maximum: 10_000_000,
      }),
    ),
    drainTimeoutMs: whole({
      ...milliseconds,
      description: 'How long a stopping server waits for the requests under way.',
      default: 30_000,
    }),
    logLevel: Type.Union([Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug')], {
      description: 'The least level of event that is logged.',
      allowed: 'error, warn, info or debug',
      default: 'info',
    }),
    optOutBy: Type.Array(Type.Union([Type.Literal('consent'), Type.Literal('group')]), {
      description:
        'Kinds of record that are searched for a patient\'s opt-out; "none" for a server that keeps neither.',
      allowed: 'consent, group, or both with a comma between; or none',
      default: ['consent', 'group'],
      uniqueItems: true,
    }),
    cdsFhirServers: Type.Array(Type.String({ format: 'guarded-url' }), {
      description:
        'FHIR servers that a CDS Hooks call may name as its fhirServer and that are then asked with the token of the call; the own store always may. "none" for no other server.',
      allowed:
        'absolute https URLs (http for loopback addresses only) without user, password, query or fragment, with commas between; or none',
      default: [],
      uniqueItems: true,
    }),
    outboundPrivateHosts: Type.Array(Type.String({ format: 'host-name' }), {
      description:
        'Hosts of CDS_FHIR_SERVERS and of ACCESS_FILE whose names may resolve to addresses of a private network or of this machine. "none" for no host.',
      allowed: 'host names without scheme and port, with commas between; or none',
      default: [],
      uniqueItems: true,
    }),
    corsOrigins: Type.Array(Type.String({ format: 'web-origin' }), {
      description:
        'Origins whose pages may call CDS Hooks and the FHIR interface from a browser (CORS). "none" for no page of another origin.',
      allowed:
        'origins such as https://ehr.example.org, without a path or a slash at the end, with commas between; or none',
      default: [],
      uniqueItems: true,
    }),
    cdsDeadlineMs: whole({
      ...milliseconds,
      description:
        'How long a CDS Hooks call may take. Contributions are left out first; a score that is late is said to be late.',
      default: 500,
    }),
    cdsHooksVersion: Type.Union([Type.Literal('2.0'), Type.Literal('3.0')], {
      description:
        'The version of CDS Hooks that discovery speaks; 3.0 adds the version of the specification and of each hook.',
      allowed: '2.0 or 3.0',
      default: '2.0',
    }),
    siteFile: optional(
      text({
        description: 'JSON file of the local codes and unit texts of the site; without it models know their own only.',
        allowed: 'a path this user may read',
      }),
    ),
    sinksFile: optional(
      text({
        description:
          'JSON file that declares where written results are delivered to; without it they stay in the own store.',
        allowed: 'a path this user may read',
      }),
    ),
    schedulesFile: optional(
      text({
        description: 'JSON file that declares which cohort runs start when; without it runs start by request only.',
        allowed: 'a path this user may read',
      }),
    ),
    subscriptionsFile: optional(
      text({
        description:
          'JSON file that declares by which Subscriptions a FHIR server tells of imaging studies, and what is done about them; without it nobody may.',
        allowed: 'a path this user may read',
      }),
    ),
    enginesFile: optional(
      text({
        description:
          'JSON file that declares remote engines and how each model is run; without it all run here, on the CPU.',
        allowed: 'a path this user may read',
      }),
    ),
    imagingFile: optional(
      text({
        description:
          'JSON file that declares the image servers (DICOMweb) that may be asked, and how much is read of them; without it no image is read.',
        allowed: 'a path this user may read',
      }),
    ),
    demonstrationModels: Type.Union([Type.Literal('off'), Type.Literal('on')], {
      description:
        'Whether demonstration models may be CDS Hooks services, and their results be written back where they reach another server; for servers for tests.',
      allowed: 'off or on',
      default: 'off',
    }),
    inferenceProtocol: Type.Union([Type.Literal('off'), Type.Literal('on')], {
      description:
        'Whether the models answer raw tensors below /v2 (Open Inference Protocol): no eligibility, unit or abstention rule applies there.',
      allowed: 'off or on',
      default: 'off',
    }),
    inferenceProtocolTokenFile: optional(
      text({
        description: 'File with the bearer token that every call below /v2 must carry; needed where it is on.',
        allowed: 'a path this user may read',
      }),
    ),
    adminTokenFile: optional(
      text({
        description:
          'File with the bearer token that calls below /admin must carry; without it only `fhirsight models` on this machine, by the user of the server, changes what is served.',
        allowed: 'a path this user may read',
      }),
    ),
    valuesKeyFile: optional(
      text({
        description:
          'File with the keys that seal values of predictions, words of clinicians, searches of runs and waiting requests, the current one first; without it or VALUES_KEY neither values nor words are kept. The same at every server of a database.',
        allowed: 'a path this user may read',
      }),
    ),
    valuesKey: optional(
      text({
        description: 'The same keys as text, where no file is at hand; not with VALUES_KEY_FILE.',
        allowed: 'id:key with commas between, each key 32 bytes in base64',
        secret: true,
      }),
    ),
    valuesKeptDays: optional(keptDays('sealed values of predictions', 1, 'as long as the logs')),
    logsKeptDays: optional(keptDays('rows of the prediction log and of the access log', 184)),
    feedbackKeptDays: optional(keptDays('answers to CDS Hooks cards', 1)),
    auditFile: optional(
      text({
        description:
          'File to which every AuditEvent is appended as a line of JSON, for a SIEM; it may be rotated at any time.',
        allowed: 'a path this user may write to',
      }),
    ),
    runChunkSize: whole({
      description: 'Members of a cohort run that one job predicts about.',
      unit: 'members',
      allowed: 'a whole number from 10 to 1000',
      default: 250,
      minimum: 10,
      maximum: 1_000,
    }),
  },
  { additionalProperties: false },
);

export type Config = Readonly<Static<typeof configSchema>>;
export type SettingKey = keyof Config;

/** One setting as its schema describes it. */
export interface Setting extends SettingNotes {
  readonly key: SettingKey;
  /** The variable's name. */
  readonly name: string;
  readonly default?: string | number | readonly string[];
  readonly type?: string;
}

/** All settings in the order of the schema. */
export const settings: readonly Setting[] = Object.entries(configSchema.properties).map(([key, schema]) => ({
  ...(schema as unknown as SettingNotes),
  key: key as SettingKey,
  name: key.replace(/[A-Z]/g, '_$&').toUpperCase(),
}));
