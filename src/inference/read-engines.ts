import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import type { DevicePolicy } from '../model-catalog/engine-report.ts';
import { isLoopback } from '../platform/loopback.ts';
import { type SettingsFile, settingsFile } from '../platform/settings-file.ts';
import {
  type EnginesFile,
  enginesSchema,
  type ModelEngineSettings,
  type RemoteEngineSettings,
} from './engines-schema.ts';

/** ENGINES_FILE as it was read: every engine that a model names is there. */
export interface Engines {
  /** For messages; absent where there is no file. */
  readonly file?: string;
  readonly remote: Readonly<Record<string, RemoteEngineSettings>>;
  readonly models: Readonly<Record<string, ModelEngineSettings>>;
}

/** How one model is to be run. */
export type ModelPlacement =
  | { readonly remote?: undefined; readonly device: DevicePolicy; readonly isolated: boolean }
  | {
      readonly device?: undefined;
      readonly isolated?: undefined;
      readonly remote: {
        /** Its name in the file. */
        readonly engine: string;
        /** The name of the model there. */
        readonly model: string;
        /** Absent: the one that the engine takes. */
        readonly version?: string;
      };
    };

/**
 * Reads ENGINES_FILE; relative paths in it are relative to its folder. No file: all models run here, on the CPU.
 * Throws CONFIG_INVALID with one issue per fault: file, JSON path, what is allowed.
 */
export async function readEngines(file: string | undefined): Promise<Engines> {
  if (file === undefined) return { remote: {}, models: {} };
  const settings = enginesFile(file);
  const value = await settings.read();
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true });
  ajv.addFormat('engine-url', isEngineUrl);
  const validate = ajv.compile<EnginesFile>(enginesSchema);
  if (!validate(value)) throw settings.invalid(settings.faultsOf(validate.errors));
  const faults = [
    ...Object.entries(value.engines).flatMap(([name, engine]) => engineFaults(name, engine)),
    ...Object.entries(value.models).flatMap(([id, model]) => modelFaults(id, model, Object.keys(value.engines))),
  ];
  if (faults.length > 0) throw settings.invalid(faults);
  const folder = path.dirname(path.resolve(file));
  const located = Object.entries(value.engines).map(([name, engine]) => [name, within(engine, folder)] as const);
  return { file, remote: Object.fromEntries(located), models: value.models };
}

/**
 * How the file wants the model run; on the CPU of this server where it says nothing of it.
 * @param key `id@version`; the file knows only the id
 */
export function placementOf(engines: Engines, key: string): ModelPlacement {
  const [modelId = ''] = key.split('@');
  const settings = Object.hasOwn(engines.models, modelId) ? engines.models[modelId] : undefined;
  if (settings?.engine === undefined) {
    return { device: settings?.device ?? 'cpu', isolated: settings?.isolation === 'process' };
  }
  const { engine, remoteModel, remoteVersion } = settings;
  return {
    remote: {
      engine,
      model: remoteModel ?? modelId,
      ...(remoteVersion === undefined ? {} : { version: remoteVersion }),
    },
  };
}

/**
 * A model of the file that has no folder is a slip of the pen, and the model that was meant would run elsewhere than it
 * should. Throws CONFIG_INVALID.
 * @param known ids of all folders, those that were refused too
 */
export function refuseUnknownModels({ file, models }: Engines, known: ReadonlySet<string>): void {
  const unknown = Object.keys(models).filter((id) => !known.has(id));
  if (unknown.length === 0 || file === undefined) return;
  throw enginesFile(file).invalid(
    unknown.map(
      (id) => `/models/${id}: no folder of MODELS_DIR has this name. There are: ${[...known].sort().join(', ')}.`,
    ),
  );
}

function enginesFile(file: string): SettingsFile {
  return settingsFile({
    variable: 'ENGINES_FILE',
    file,
    form: '{"engines": {...}, "models": {...}}',
    docs: 'docs/engines.md',
    optional: true,
    ownWords,
  });
}

function ownWords({ instancePath, keyword, params }: ErrorObject, at: string): string | undefined {
  if (keyword === 'additionalProperties' && /^\/(engines|models)$/.test(instancePath))
    return `${at} has the name '${params.additionalProperty}'. Engines have 1 to 40 lower-case letters, digits and dashes; models the name of their folder.`;
  if (keyword === 'format')
    return `${at} must be an absolute http or https URL without user, password, query, fragment and /v2; a token belongs into tokenFile.`;
  return undefined;
}

/** Inputs may be shown to whoever is between, if the operator says so; the token never is (decision 0055). */
function engineFaults(name: string, { url, allowPlainHttp, tokenFile }: RemoteEngineSettings): string[] {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return [];
  const faults: string[] = [];
  if (!allowPlainHttp) {
    faults.push(
      `/engines/${name}/url sends inputs over http to another machine, where anybody between can read them. Use https, or say "allowPlainHttp": true.`,
    );
  }
  if (tokenFile !== undefined) {
    faults.push(
      `/engines/${name}/url sends the token of tokenFile over http to another machine, where anybody between can read it. Use https, or remove tokenFile.`,
    );
  }
  return faults;
}

function modelFaults(id: string, settings: ModelEngineSettings, engines: readonly string[]): string[] {
  const { engine, device, isolation, remoteModel, remoteVersion } = settings;
  const at = `/models/${id}`;
  if (engine === undefined) {
    return remoteModel === undefined && remoteVersion === undefined
      ? []
      : [`${at} names a model elsewhere and no engine. Add "engine", or remove remoteModel and remoteVersion.`];
  }
  const faults: string[] = [];
  if (!engines.includes(engine)) {
    faults.push(`${at}/engine '${engine}' is not declared. Declared are: ${engines.join(', ') || 'none'}.`);
  }
  if (device !== undefined || isolation !== undefined) {
    faults.push(`${at} has an engine, which decides by itself where it runs. Remove device and isolation.`);
  }
  return faults;
}

function within(engine: RemoteEngineSettings, folder: string): RemoteEngineSettings {
  const { tokenFile } = engine;
  return Object.freeze({
    ...engine,
    url: engine.url.replace(/\/+$/, ''),
    ...(tokenFile === undefined ? {} : { tokenFile: path.resolve(folder, tokenFile) }),
  });
}

function isEngineUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
  return url.username === '' && url.password === '' && !/[?#]/.test(text) && !/\/v2\/*$/.test(url.pathname);
}
