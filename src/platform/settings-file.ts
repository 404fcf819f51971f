import { readFile } from 'node:fs/promises';
import type { ErrorObject } from 'ajv';
import { PredictionError } from './errors.ts';

export interface SettingsFileOptions {
  /** The setting that names it, for messages: `SINKS_FILE`. */
  readonly variable: string;
  readonly file: string;
  /** What is to be written: `{"sinks": [...]}`; absent where it is too much for one line. */
  readonly form?: string;
  /** The document that has an example and lists names and values: `docs/deliveries.md`. */
  readonly docs: string;
  /** Whether the server can do without it. */
  readonly optional: boolean;
  /** What is wrong with a value in words that only this file has; undefined: as in every file. `at`: where it is. */
  readonly ownWords?: (error: ErrorObject, at: string) => string | undefined;
}

/** A JSON file that a setting names: how it is read, and how it is refused. */
export interface SettingsFile {
  /** What is in it. Throws CONFIG_INVALID where it cannot be read or is not JSON in UTF-8. */
  read(): Promise<unknown>;
  /**
   * What a schema finds, each fault once.
   * @param above JSON pointer of the value that was checked, where it is not the whole file
   */
  faultsOf(errors: readonly ErrorObject[] | null | undefined, above?: string): string[];
  /** CONFIG_INVALID with one issue per fault. @param faults each begins with its place in the file */
  invalid(faults: readonly string[]): PredictionError;
}

/** All files of settings are read and refused in the same words: the setting, the file, the place, what is allowed. */
export function settingsFile({ variable, file, form, docs, optional, ownWords }: SettingsFileOptions): SettingsFile {
  const sharedWords = ({ keyword, params, message = 'is invalid' }: ErrorObject, at: string): string => {
    switch (keyword) {
      case 'additionalProperties':
        return `${at} has the unknown field '${params.additionalProperty}'. Remove it, or see ${docs} for its right name.`;
      case 'required':
        return `${at} lacks the field '${params.missingProperty}'. Add it.`;
      case 'const':
      case 'enum':
      case 'anyOf':
        return `${at} has a value that is not allowed there; ${docs} lists the values.`;
      default:
        return `${at} ${message}.`;
    }
  };
  return {
    async read() {
      try {
        return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)));
      } catch (cause) {
        const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
        const fault =
          code === undefined || code.startsWith('ERR_ENCODING')
            ? `is not JSON in UTF-8${form === undefined ? '' : `. Write ${form}`}; ${docs} has an example.`
            : `cannot be read (${code}). Name a file this user may read${optional ? `, or unset ${variable}` : ''}.`;
        throw new PredictionError('CONFIG_INVALID', `${variable} ${file} ${fault}`, { cause });
      }
    },
    faultsOf(errors, above = '') {
      const words = (errors ?? []).map((error) => {
        const at = `${above}${error.instancePath}` || 'the top level';
        return ownWords?.(error, at) ?? sharedWords(error, at);
      });
      return [...new Set(words)];
    },
    invalid(faults) {
      const messages = faults.map((fault) => `${variable} ${file}: ${fault}`);
      return new PredictionError('CONFIG_INVALID', messages.join('\n'), {
        issues: messages.map((message) => ({ message })),
      });
    },
  };
}
