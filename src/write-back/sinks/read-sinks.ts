import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { PredictionError } from '../../platform/errors.ts';
import { isLoopback } from '../../platform/loopback.ts';
import { type SinkSettings, sinkSchemas, sinksSchema } from './sink-schema.ts';

/**
 * Reads SINKS_FILE; relative paths in it are relative to its folder. No file is no sink.
 * Throws CONFIG_INVALID with one issue per fault: file, JSON path, what is allowed.
 */
export async function readSinks(file: string | undefined): Promise<readonly SinkSettings[]> {
  if (file === undefined) return [];
  const value = await readJson(file);
  const faults: string[] = [];
  const sinks = parsed(value, faults);
  for (const [index, sink] of sinks.entries()) faults.push(...faultsOf(sink, index, sinks));
  if (faults.length > 0) {
    const messages = faults.map((fault) => `SINKS_FILE ${file}: ${fault}`);
    throw new PredictionError('CONFIG_INVALID', messages.join('\n'), {
      issues: messages.map((message) => ({ message })),
    });
  }
  const folder = path.dirname(path.resolve(file));
  return sinks.map((sink) => Object.freeze(located(sink, folder)));
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    const fault =
      code === undefined || code.startsWith('ERR_ENCODING')
        ? `is not JSON in UTF-8. Write {"sinks": [...]}; docs/deliveries.md has an example.`
        : `cannot be read (${code}). Name a file this user may read, or unset SINKS_FILE.`;
    throw new PredictionError('CONFIG_INVALID', `SINKS_FILE ${file} ${fault}`, { cause });
  }
}

/** Fills in defaults and says what is wrong. */
function parsed(value: unknown, faults: string[]): SinkSettings[] {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true });
  ajv.addFormat('sink-url', (text: string) => isSinkUrl(text));
  const validateFile = ajv.compile<{ sinks: unknown[] }>(sinksSchema);
  if (!validateFile(value)) {
    faults.push(...(validateFile.errors ?? []).map((error) => describe(error, '')));
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
    faults.push(...new Set((validate.errors ?? []).map((error) => describe(error, `/sinks/${index}`))));
    return [];
  });
}

function describe({ instancePath, keyword, params, message = 'is invalid' }: ErrorObject, above: string): string {
  const at = `${above}${instancePath}` || 'the top level';
  switch (keyword) {
    case 'additionalProperties':
      return `${at} has the unknown field '${params.additionalProperty}'. Remove it, or see docs/deliveries.md for its right name.`;
    case 'required':
      return `${at} lacks the field '${params.missingProperty}'. Add it.`;
    case 'const':
    case 'enum':
    case 'anyOf':
      return `${at} has a value that is not allowed there; docs/deliveries.md lists the values.`;
    case 'format':
      return `${at} must be an absolute http or https URL without user, password, query or fragment; a token belongs into tokenFile.`;
    case 'pattern':
      return `${at} must be 1 to 40 lower-case letters, digits and dashes.`;
    default:
      return `${at} ${message}.`;
  }
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
  if (sink.kind !== 'ndjson' && !sink.allowPlainHttp && isPlainHttpElsewhere(sink.url)) {
    faults.push(
      `/sinks/${index}/url sends results over http to another machine, where anybody between can read them. Use https, or say "allowPlainHttp": true.`,
    );
  }
  return faults;
}

function located(sink: SinkSettings, folder: string): SinkSettings {
  if (sink.kind === 'ndjson') return { ...sink, folder: path.resolve(folder, sink.folder) };
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
