import { isIP } from 'node:net';
import { Ajv, type ErrorObject } from 'ajv';
import { type Config, configSchema, type Setting, settings } from './config-schema.ts';
import { PredictionError } from './errors.ts';
import { isLoopback } from './loopback.ts';
import { mistakenSetting } from './unknown-setting.ts';

export type { Config } from './config-schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads every setting from `env`; an empty value counts as not set. Numbers and lists are parsed, URLs lose a trailing
 * slash, the result is frozen. Throws CONFIG_INVALID with one issue per unknown or bad variable.
 */
export function readConfig(env: Environment): Config {
  const given: Record<string, unknown> = {};
  for (const { key, name, type } of settings) {
    const value = env[name]?.trim();
    if (value !== undefined && value !== '') given[key] = parsed(value, type);
  }
  const bad = badSettings(given, env);
  const problems = [
    ...unknownSettings(env),
    ...bad,
    ...(bad.length > 0
      ? []
      : [...openDoors(given as unknown as Config), ...halfClient(given), ...halfTls(given), ...keptTooLong(given)]),
  ];
  if (problems.length > 0) {
    throw new PredictionError('CONFIG_INVALID', problems.join('\n'), {
      issues: problems.map((message) => ({ message })),
    });
  }
  const config = given as unknown as { -readonly [K in keyof Config]: Config[K] };
  if (config.fhirBaseUrl !== undefined) config.fhirBaseUrl = withoutTrailingSlash(config.fhirBaseUrl);
  if (config.publicBaseUrl !== undefined) config.publicBaseUrl = withoutTrailingSlash(config.publicBaseUrl);
  config.cdsFhirServers = config.cdsFhirServers.map(withoutTrailingSlash);
  Object.freeze(config.optOutBy);
  Object.freeze(config.cdsFhirServers);
  Object.freeze(config.corsOrigins);
  Object.freeze(config.outboundPrivateHosts);
  return Object.freeze(config);
}

/** The one place that reads the process's environment. */
export function readConfigFromProcess(): Config {
  return readConfig(process.env);
}

/** A secret that a file of the settings names by its variable; undefined where that is not set or empty. */
export function readSecretVariable(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

/** What a child process may see of the environment: where programs, libraries, devices and locales are found. */
const childVariables =
  /^(PATH|HOME|TMPDIR|TMP|TEMP|SystemRoot|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|LANG|LC_[A-Z]+|XDG_(CONFIG|DATA)_(HOME|DIRS)|(VK|CUDA|CUDNN|NVIDIA|MESA)_[A-Z0-9_]+|ORT_(TENSORRT|CUDA)_[A-Z0-9_]+)$/;

/** Whatever a name like this holds is nobody else's business: NVIDIA_API_KEY, for one. */
const secretVariables = /KEY|TOKEN|SECRET|PASS|CREDENTIAL/;

/**
 * The environment of a child process that runs models, and nothing else of ours: no URL, no password. TF32, which rounds
 * the inputs of a product to ten bits, is off on NVIDIA's devices unless the site sets NVIDIA_TF32_OVERRIDE itself.
 */
export function inferenceEnvironment(env: Environment = process.env): Readonly<Record<string, string>> {
  const passed: Record<string, string> = { NVIDIA_TF32_OVERRIDE: '0' };
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && childVariables.test(name) && !secretVariables.test(name)) passed[name] = value;
  }
  return passed;
}

/** The settings by the names of their variables, without passwords, for the log of the start. */
export function describeConfig(config: Config): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    settings
      .filter(({ key }) => config[key] !== undefined)
      .map(({ key, name, secret }) => [name, secret === true ? redacted(String(config[key])) : config[key]]),
  );
}

/** What the schema does not accept stays text, and is refused as such: no `1e3`, no `0x10`, no `Infinity`. */
function parsed(value: string, type: string | undefined): unknown {
  if (type === 'integer' && /^-?\d{1,15}$/.test(value)) return Number(value);
  if (type === 'array') return value === 'none' ? [] : value.split(',').map((item) => item.trim());
  return value;
}

function unknownSettings(env: Environment): string[] {
  const names = settings.map(({ name }) => name);
  return Object.entries(env).flatMap(([variable, value]) => {
    const mistaken = value === undefined ? undefined : mistakenSetting(variable, value, names);
    if (mistaken === undefined) return [];
    return [
      `${variable} is not a setting of fhirsight. Did you mean ${mistaken.nearest}? ` +
        'Rename or unset it; .env.example lists every setting.',
    ];
  });
}

/** Fills `given` with defaults and says what is wrong. */
function badSettings(given: Record<string, unknown>, env: Environment): string[] {
  const ajv = new Ajv({ allErrors: true, useDefaults: true });
  ajv.addVocabulary(['allowed', 'unit', 'secret']);
  ajv.addFormat('host', isHost);
  ajv.addFormat('base-url', isBaseUrl);
  ajv.addFormat('host-name', isHostName);
  ajv.addFormat('guarded-url', isGuardedUrl);
  ajv.addFormat('web-origin', isWebOrigin);
  ajv.addFormat('postgres-url', isPostgresUrl);
  ajv.addFormat('time-zone', isTimeZone);
  const validate = ajv.compile<Config>(configSchema);
  if (validate(given)) return [];
  const errors: readonly ErrorObject[] = validate.errors ?? [];
  return settings
    .filter(({ key }) => errors.some(({ instancePath }) => instancePath.split('/')[1] === key))
    .map((setting) => `${setting.name} is ${shown(setting, env[setting.name])}; allowed is ${setting.allowed}.`);
}

/** Settings that are good each, but together let in whoever comes. */
function openDoors({ auth, host, accessFile, publicBaseUrl }: Config): string[] {
  const elsewhere = !isLoopback(host);
  if (auth === 'none') {
    const faults: string[] = [];
    if (elsewhere) {
      faults.push(
        `HOST is ${JSON.stringify(host)} and AUTH is none: everybody who reaches that address could read and write all data. ` +
          'Set AUTH=required and ACCESS_FILE (docs/security.md has an example) with PUBLIC_BASE_URL, the URL that clients use; ' +
          'or leave HOST at 127.0.0.1, and let a proxy on this machine authenticate the callers and name its URL in PUBLIC_BASE_URL.',
      );
    }
    if (accessFile !== undefined)
      faults.push(
        'ACCESS_FILE is set, but AUTH is none, which lets in everybody. Set AUTH=required, or unset ACCESS_FILE.',
      );
    return faults;
  }
  const faults: string[] = [];
  if (accessFile === undefined)
    faults.push(
      'AUTH is required, but ACCESS_FILE is not set, so nobody could call. Name a file as in docs/security.md.',
    );
  if (elsewhere && publicBaseUrl === undefined) {
    faults.push(
      `HOST is ${JSON.stringify(host)}, but PUBLIC_BASE_URL is not set. Set it to the URL that clients use: tokens are made for it, and results link to it.`,
    );
  }
  return faults;
}

function halfTls({ tlsCertFile, tlsKeyFile }: Partial<Config>): string[] {
  if ((tlsCertFile === undefined) === (tlsKeyFile === undefined)) return [];
  return ['TLS_CERT_FILE and TLS_KEY_FILE belong together. Set both, or unset both.'];
}

/** What nobody could have forgotten any more: only the prediction log says whose it is. */
function keptTooLong({ logsKeptDays, valuesKeptDays, feedbackKeptDays }: Partial<Config>): string[] {
  if (logsKeptDays === undefined) return [];
  const longer = { VALUES_KEPT_DAYS: valuesKeptDays, FEEDBACK_KEPT_DAYS: feedbackKeptDays };
  return Object.entries(longer)
    .filter(([, days]) => days !== undefined && days > logsKeptDays)
    .map(
      ([name, days]) =>
        `${name} is ${days}, but LOGS_KEPT_DAYS is ${logsKeptDays}, and only the prediction log says whose these are. ` +
        `Set ${name} to ${logsKeptDays} at most, or keep the logs longer.`,
    );
}

/** A client needs its id, its keys and a server that only it can hear. */
function halfClient({
  fhirBaseUrl,
  fhirClientId,
  fhirClientKeysFile,
  fhirTokenUrl,
  fhirClientScopes,
}: Partial<Config>): string[] {
  const some = [fhirClientId, fhirClientKeysFile, fhirTokenUrl, fhirClientScopes].some((value) => value !== undefined);
  if (!some) return [];
  if (fhirBaseUrl !== undefined && fhirClientId !== undefined && fhirClientKeysFile !== undefined) {
    if (isGuardedUrl(fhirBaseUrl)) return [];
    return [
      'FHIR_BASE_URL is plain HTTP to another machine, and FHIR_CLIENT_ID has it asked with tokens: whoever is between would read them. Name it by https.',
    ];
  }
  return [
    'To ask FHIR_BASE_URL with tokens of SMART Backend Services, FHIR_BASE_URL, FHIR_CLIENT_ID and FHIR_CLIENT_KEYS_FILE must be set together; FHIR_TOKEN_URL and FHIR_CLIENT_SCOPES belong to them. Set all three, or unset all.',
  ];
}

/** A value as a message may quote it: no password, no control characters, not endless. */
function shown(setting: Setting, value: string | undefined): string {
  if (setting.secret === true || value === undefined || /:\/\/[^/]*@/.test(value))
    return 'not valid (its value is not shown)';
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}

/** A URL without its password; nothing of any other secret. */
function redacted(text: string): string {
  const url = URL.parse(text);
  if (url === null || url.host === '') return '***';
  if (url.password !== '') url.password = '***';
  for (const name of [...url.searchParams.keys()]) if (name.includes('password')) url.searchParams.set(name, '***');
  return url.href;
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

/** Something that can be listened on: no port, no brackets, no wildcard but 0.0.0.0 and ::. */
function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  return /^(?!.*\.\.)[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text) && !/^[\d.]+$/.test(text);
}

function isBaseUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
  return url.username === '' && url.password === '' && !text.includes('?') && !text.includes('#');
}

/** Nobody between reads what is sent there: https, or plain HTTP that does not leave this machine. */
function isGuardedUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null && isBaseUrl(text) && (url.protocol === 'https:' || isLoopback(url.hostname.replace(/^\[|\]$/g, '')))
  );
}

/** As a URL writes it: `ehr.hospital.example`. */
function isHostName(text: string): boolean {
  return /^[a-z0-9.-]+$/i.test(text) && URL.parse(`https://${text}/`)?.hostname === text.toLowerCase();
}

/** As a browser writes it: scheme, host and a port that is not the usual one. `*` is none. */
function isWebOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.origin === text;
}

function isPostgresUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'postgres:' || url.protocol === 'postgresql:');
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Z]/i.test(name); // an offset such as +02:00 is no place, and knows no summer time
  } catch {
    return false; // Intl says it with a RangeError
  }
}
