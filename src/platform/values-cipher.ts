import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PredictionError } from './errors.ts';

/** A text that was sealed: only who has the key reads it, and nobody changes it, or what it belongs to, unnoticed. */
export interface Sealed {
  /** Id of the key. */
  readonly key: string;
  /** 12 bytes, of this text alone. */
  readonly nonce: Buffer;
  /** The text in AES-256-GCM, and behind it the tag of 16 bytes. */
  readonly sealed: Buffer;
}

export interface ValuesCipher {
  /** With the current key. @param belongsTo what the text is of, which `open` must name alike: tenant and id */
  seal(text: string, belongsTo: string): Sealed;
  /** Throws CONFIG_INVALID where the key is not among those of the settings, INTERNAL where the text was changed or belongs to something else. */
  open(sealed: Sealed, belongsTo: string): string;
  /** Whether it opens what was sealed with the key of this id. */
  holds(key: string): boolean;
}

const algorithm = 'aes-256-gcm';
const tagBytes = 16;

/** The keys of VALUES_KEY_FILE or VALUES_KEY; undefined where neither is set: no values are kept then. Throws CONFIG_INVALID. */
export async function readValuesKeys({
  valuesKeyFile,
  valuesKey,
}: {
  readonly valuesKeyFile?: string | undefined;
  readonly valuesKey?: string | undefined;
}): Promise<ValuesKeys | undefined> {
  if (valuesKeyFile !== undefined && valuesKey !== undefined)
    throw new PredictionError('CONFIG_INVALID', 'VALUES_KEY_FILE and VALUES_KEY are both set: unset one of them.');
  if (valuesKey !== undefined) return parseKeys('VALUES_KEY', valuesKey);
  if (valuesKeyFile === undefined) return undefined;
  const text = await readFile(valuesKeyFile, 'utf8').catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new PredictionError(
      'CONFIG_INVALID',
      `VALUES_KEY_FILE ${valuesKeyFile} cannot be read (${code}). Name a file this user may read.`,
      { cause },
    );
  });
  return parseKeys('VALUES_KEY_FILE', text);
}

/** Keys by id, the current one first. */
export type ValuesKeys = ReadonlyMap<string, Buffer>;

/**
 * Reads `id:key` on lines or with commas between; the first seals, all open.
 * @param setting where they stand, for messages, which repeat nothing of them
 * Throws CONFIG_INVALID.
 */
export function parseKeys(setting: string, text: string): ValuesKeys {
  const keys = new Map<string, Buffer>();
  for (const [index, line] of text
    .split(/[\n,]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .entries()) {
    const [, id, encoded] = /^([a-z0-9-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(line) ?? [];
    if (id === undefined || encoded === undefined || keys.has(id))
      throw refused(setting, `Key ${index + 1} is not one`);
    keys.set(id, Buffer.from(encoded, 'base64'));
  }
  if (keys.size === 0) throw refused(setting, 'It holds none');
  return keys;
}

function refused(setting: string, what: string): PredictionError {
  return new PredictionError(
    'CONFIG_INVALID',
    `${setting} must hold keys as id:key, one a line or with commas between, the current one first; an id is of lower-case ` +
      `letters, digits and dashes and stands once, a key is 32 bytes in base64 (\`openssl rand -base64 32\`). ${what}.`,
  );
}

export function createValuesCipher(keys: ValuesKeys): ValuesCipher {
  const [current] = keys;
  if (current === undefined) throw new RangeError('a cipher without a key');
  const [currentId, currentKey] = current;
  return {
    holds: (key) => keys.has(key),
    seal(text, belongsTo) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv(algorithm, currentKey, nonce).setAAD(Buffer.from(belongsTo));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return { key: currentId, nonce, sealed };
    },
    open({ key: id, nonce, sealed }, belongsTo) {
      const key = keys.get(id);
      if (key === undefined) {
        throw new PredictionError(
          'CONFIG_INVALID',
          `Values were sealed with the key '${id}', which VALUES_KEY_FILE does not hold: put it back behind the current one.`,
        );
      }
      try {
        const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(
          Buffer.from(belongsTo),
        );
        decipher.setAuthTag(sealed.subarray(-tagBytes));
        return decipher.update(sealed.subarray(0, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
      } catch (cause) {
        throw new PredictionError(
          'INTERNAL',
          `Sealed values of ${belongsTo} do not open: they were changed, or belong to something else.`,
          { cause },
        );
      }
    },
  };
}
