import { readFile } from 'node:fs/promises';
import type { ImageServerSettings } from '../imaging-file-schema.ts';
import { type ImageRequest, imagesUnreachable } from './images-unreachable.ts';

/** The environment, for the secrets that IMAGING_FILE names by their variables. */
export type ReadVariable = (name: string) => string | undefined;

/**
 * Value of the Authorization header for a server, read anew each time so that a secret can be renewed; undefined: it wants none. Throws
 * IMAGES_UNREACHABLE where the secret is not to be had. No message quotes it.
 */
export async function authorizationOf(
  name: string,
  settings: ImageServerSettings,
  readVariable: ReadVariable,
): Promise<string | undefined> {
  const { url, user, passwordFile, passwordVariable, tokenFile, tokenVariable } = settings;
  const asked: ImageRequest = { server: name, base: url, name: 'authenticate' };
  if (user !== undefined) {
    const password = await secret(asked, passwordFile, passwordVariable, readVariable);
    return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
  }
  if (tokenFile === undefined && tokenVariable === undefined) return undefined;
  const token = await secret(asked, tokenFile, tokenVariable, readVariable);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw imagesUnreachable(asked, 'is not asked: its token has blanks or letters that no header holds', 'Mend it.');
  }
  return `Bearer ${token}`;
}

async function secret(
  asked: ImageRequest,
  file: string | undefined,
  variable: string | undefined,
  readVariable: ReadVariable,
): Promise<string> {
  const from = file === undefined ? `the variable ${variable}` : `the file ${file}`;
  const text = file === undefined ? readVariable(variable ?? '') : await readSecretFile(asked, file);
  const value = text?.replace(/\r?\n$/, '') ?? '';
  if (value === '') throw imagesUnreachable(asked, `is not asked: ${from} holds no secret`, 'Set it.');
  return value;
}

async function readSecretFile(asked: ImageRequest, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    const happened = `is not asked: the file ${file} cannot be read (${code})`;
    throw imagesUnreachable(asked, happened, 'Name a file that this user may read.', { cause });
  }
}
