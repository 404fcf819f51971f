import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { isLoopback } from '../../platform/loopback.ts';
import { type SettingsFile, settingsFile } from '../../platform/settings-file.ts';
import { type ServerSink, type SinkSettings, sinkSchemas, sinksSchema } from './sink-schema.ts';

/**
 * Reads SINKS_FILE; relative paths in it are relative to its folder. No file is no sink.
 * Throws CONFIG_INVALID with one issue per fault: file, JSON path, what is allowed.
 */
export async function readSinks(file: string | undefined): Promise<readonly SinkSettings[]> {
  if (file === undefined) return [];
  const settings = settingsFile({
    variable: 'SINKS_FILE',
    file,
    form: '{"sinks": [...]}',
    docs: 'docs/deliveries.md',
    optional: true,
    ownWords,
  });
  const faults: string[] = [];
  const sinks = parsed(await settings.read(), settings, faults);
  for (const [index, sink] of sinks.entries()) faults.push(...faultsOf(sink, index, sinks));
  if (faults.length > 0) throw settings.invalid(faults);
  const folder = path.dirname(path.resolve(file));
  return sinks.map((sink) => Object.freeze(located(sink, folder)));
}

/** Fills in defaults and says what is wrong. */
function parsed(value: unknown, settings: SettingsFile, faults: string[]): SinkSettings[] {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true });
  ajv.addFormat('sink-url', (text: string) => isSinkUrl(text));
  const validateFile = ajv.compile<{ sinks: unknown[] }>(sinksSchema);
  if (!validateFile(value)) {
    faults.push(...settings.faultsOf(validateFile.errors));
    return [];
  }
  return value.sinks.flatMap((sink, index) => {
    const schema = sinkSchemas[(sink as { kind?: keyof typeof sinkSchemas } | null)?.kind ?? ('' as 'ndjson')];
    if (schema === undefined) {
      faults.push(`/sinks/${index}/kind must be one of ${Object.keys(sinkSchemas).join(', ')}.`);
      return [];
    }
    const validate = ajv.compile<SinkSettings>(schema);
    if (validate(sink)) return [sink];
    faults.push(...settings.faultsOf(validate.errors, `/sinks/${index}`));
    return [];
  });
}

function ownWords({ keyword }: ErrorObject, at: string): string | undefined {
  if (keyword === 'format')
    return `${at} must be an absolute http or https URL without user, password, query or fragment; a token belongs into tokenFile.`;
  if (keyword === 'pattern') return `${at} must be 1 to 40 lower-case letters, digits and dashes.`;
  return undefined;
}

function faultsOf(sink: SinkSettings, index: number, all: readonly SinkSettings[]): string[] {
  const faults: string[] = [];
  if (all.findIndex(({ name }) => name === sink.name) !== index) {
    faults.push(`/sinks/${index}/name '${sink.name}' is used twice. Give each sink a name of its own.`);
  }
  if (sink.firstRetryMs > sink.maxRetryMs) {
    faults.push(
      `/sinks/${index}/firstRetryMs is greater than maxRetryMs (${sink.maxRetryMs}). Lower it, or raise that.`,
    );
  }
  if ('url' in sink && isPlainHttpElsewhere(sink.url)) faults.push(...plainHttpFaults(sink, index));
  return faults;
}

/** Results may be shown to whoever is between, if the operator says so; the token never is (decision 0055). */
function plainHttpFaults({ allowPlainHttp, tokenFile }: ServerSink, index: number): string[] {
  const faults: string[] = [];
  if (!allowPlainHttp) {
    faults.push(
      `/sinks/${index}/url sends results over http to another machine, where anybody between can read them. Use https, or say "allowPlainHttp": true.`,
    );
  }
  if (tokenFile !== undefined) {
    faults.push(
      `/sinks/${index}/url sends the token of tokenFile over http to another machine, where anybody between can read it. Use https, or remove tokenFile.`,
    );
  }
  return faults;
}

function located(sink: SinkSettings, folder: string): SinkSettings {
  if (sink.kind === 'ndjson') return { ...sink, folder: path.resolve(folder, sink.folder) };
  if (sink.kind === 'dicomweb') return sink;
  const { tokenFile } = sink;
  return {
    ...sink,
    url: sink.url.replace(/\/+$/, ''),
    ...(tokenFile === undefined ? {} : { tokenFile: path.resolve(folder, tokenFile) }),
  };
}

function isSinkUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
  return url.username === '' && url.password === '' && !/[?#]/.test(text);
}

function isPlainHttpElsewhere(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
