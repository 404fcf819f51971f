import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { isLoopback } from '../platform/loopback.ts';
import { settingsFile } from '../platform/settings-file.ts';
import { baseOf } from './dicomweb/base-of.ts';
import { type ImageServerSettings, type ImagingFile, imagingFileSchema } from './imaging-file-schema.ts';

/** IMAGING_FILE as it was read. */
export interface ImagingSettings {
  readonly servers: Readonly<Record<string, ImageServerSettings>>;
  /** One of `servers`. */
  readonly default?: string;
  readonly limits: ImagingLimits;
  /** That no object of a study has arrived for, before the study counts as whole. */
  readonly quietPeriodMs: number;
  /** Which Patient.identifier the PatientID of an issuer is. */
  readonly patientIdentifiers: readonly { readonly issuer?: string; readonly system: string }[];
}

export interface ImagingLimits {
  readonly timeoutMs: number;
  /** Of one frame or object. */
  readonly objectBytes: number;
  /** Of the metadata of a study. */
  readonly metadataBytes: number;
  /** Of the pixels of one prediction, as they come. */
  readonly studyBytes: number;
  /** That one prediction reads. */
  readonly frames: number;
  /** Of the images of all predictions together; see `readingBytes`. */
  readonly memoryBytes: number;
}

const megabyte = 1_000_000;

/**
 * Reads IMAGING_FILE; relative paths in it are relative to its folder. No file: no image is read.
 * Throws CONFIG_INVALID with one issue per fault: file, JSON path, what is allowed.
 */
export async function readImagingFile(file: string | undefined): Promise<ImagingSettings | undefined> {
  if (file === undefined) return undefined;
  const settings = settingsFile({
    variable: 'IMAGING_FILE',
    file,
    form: '{"servers": {...}}',
    docs: 'docs/imaging.md',
    optional: true,
    ownWords,
  });
  const value = await settings.read();
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true });
  ajv.addFormat('image-server-url', (text: string) => baseOf(text) !== undefined);
  const validate = ajv.compile<ImagingFile>(imagingFileSchema);
  if (!validate(value)) throw settings.invalid(settings.faultsOf(validate.errors));
  const faults = [
    ...Object.entries(value.servers).flatMap(([name, each]) => serverFaults(name, each)),
    ...sharedFaults(value),
  ];
  if (faults.length > 0) throw settings.invalid(faults);
  const folder = path.dirname(path.resolve(file));
  const { limits } = value;
  return Object.freeze({
    servers: Object.fromEntries(Object.entries(value.servers).map(([name, each]) => [name, located(each, folder)])),
    ...(value.default === undefined ? {} : { default: value.default }),
    limits: {
      timeoutMs: limits.timeoutMs,
      objectBytes: limits.objectMb * megabyte,
      metadataBytes: limits.metadataMb * megabyte,
      studyBytes: limits.studyMb * megabyte,
      frames: limits.frames,
      memoryBytes: limits.memoryMb * megabyte,
    },
    quietPeriodMs: value.quietPeriodSeconds * 1_000,
    patientIdentifiers: value.patientIdentifiers,
  });
}

function ownWords({ instancePath, keyword, params }: ErrorObject, at: string): string | undefined {
  if (keyword === 'additionalProperties' && instancePath === '/servers')
    return `${at} has the name '${params.additionalProperty}'. Servers have 1 to 40 lower-case letters, digits and dashes.`;
  if (keyword === 'format')
    return `${at} must be an absolute http or https URL without user, password, query and fragment; a password belongs into passwordFile.`;
  return undefined;
}

function serverFaults(name: string, settings: ImageServerSettings): string[] {
  const { url, qidoUrl = url, stowUrl = url, allowPlainHttp, user } = settings;
  const at = `/servers/${name}`;
  const given = (keys: readonly (keyof ImageServerSettings)[]) => keys.filter((key) => settings[key] !== undefined);
  const passwords = given(['passwordFile', 'passwordVariable']);
  const tokens = given(['tokenFile', 'tokenVariable']);
  const faults: string[] = [];
  if (!allowPlainHttp && [url, qidoUrl, stowUrl].some(isPlainHttpElsewhere)) {
    faults.push(
      `${at} is asked over http on another machine, where anybody between can read the images. Use https, or say "allowPlainHttp": true.`,
    );
  }
  if ([...passwords, ...tokens].length > 0 && [url, qidoUrl, stowUrl].some(isPlainHttpElsewhere)) {
    faults.push(
      `${at} is asked with credentials over http on another machine, where anybody between can read them. Use https.`,
    );
  }
  if (passwords.length > 1 || tokens.length > 1 || (user !== undefined && tokens.length > 0)) {
    faults.push(`${at} has more than one of ${[...passwords, ...tokens].join(', ')}. Keep the one that it accepts.`);
  } else if ((user !== undefined) !== passwords.length > 0) {
    faults.push(`${at} needs user together with passwordFile or passwordVariable. Set both, or none.`);
  }
  return faults;
}

function sharedFaults({ servers, default: usual, patientIdentifiers }: ImagingFile): string[] {
  const faults: string[] = [];
  if (usual !== undefined && !Object.hasOwn(servers, usual)) {
    faults.push(`/default '${usual}' is not declared. Declared are: ${Object.keys(servers).join(', ')}.`);
  }
  const owners = new Map<string | undefined, string>();
  for (const [name, { url, endpoints }] of Object.entries(servers)) {
    for (const base of new Set([url, ...endpoints].map(baseOf))) {
      const other = owners.get(base);
      if (other !== undefined) faults.push(`/servers/${name} has an address of '${other}'. Give each its own.`);
      owners.set(base, name);
    }
  }
  const issuers = patientIdentifiers.map(({ issuer }) => issuer);
  for (const issuer of new Set(issuers.filter((each, index) => issuers.indexOf(each) !== index))) {
    const which = issuer === undefined ? 'has two entries without an issuer' : `names the issuer '${issuer}' twice`;
    faults.push(`/patientIdentifiers ${which}. Say once which system it is.`);
  }
  return faults;
}

function located(settings: ImageServerSettings, folder: string): ImageServerSettings {
  const { qidoUrl, stowUrl, passwordFile, tokenFile } = settings;
  // The schema has let none pass that has no base.
  const base = (text: string): string => baseOf(text) ?? text;
  return Object.freeze({
    ...settings,
    url: base(settings.url),
    endpoints: settings.endpoints.map(base),
    ...(qidoUrl === undefined ? {} : { qidoUrl: base(qidoUrl) }),
    ...(stowUrl === undefined ? {} : { stowUrl: base(stowUrl) }),
    ...(passwordFile === undefined ? {} : { passwordFile: path.resolve(folder, passwordFile) }),
    ...(tokenFile === undefined ? {} : { tokenFile: path.resolve(folder, tokenFile) }),
  });
}

function isPlainHttpElsewhere(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
