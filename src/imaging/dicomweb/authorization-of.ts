import { readFile } from 'node:fs/promises';
import type { ImageServerSettings } from '../imaging-file-schema.ts';
import { type ImageRequest, imagesUnreachable } from './images-unreachable.ts';

const mendIt = 'Mend it where IMAGING_FILE names it.';

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
    const password = await secret(asked, ['passwordFile', passwordFile], ['passwordVariable', passwordVariable]);
    return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
  }
  if (tokenFile === undefined && tokenVariable === undefined) return undefined;
  const token = await secret(asked, ['tokenFile', tokenFile], ['tokenVariable', tokenVariable]);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw imagesUnreachable(asked, 'is not asked: its token has blanks or letters that no header holds', mendIt);
  }
  return `Bearer ${token}`;

  async function secret(
    request: ImageRequest,
    [fileField, file]: readonly [string, string | undefined],
    [variableField, variable]: readonly [string, string | undefined],
  ): Promise<string> {
    const [field, text] =
      file === undefined
        ? [variableField, readVariable(variable ?? '')]
        : [fileField, await readSecretFile(request, fileField, file)];
    const value = text?.replace(/\r?\n$/, '') ?? '';
    if (value === '') throw imagesUnreachable(request, `is not asked: its ${field} holds no secret`, mendIt);
    return value;
  }
}

/** The message reaches whoever calls: it names the field, and not the file. */
async function readSecretFile(asked: ImageRequest, field: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw imagesUnreachable(asked, `is not asked: its ${field} cannot be read (${code})`, mendIt, { cause });
  }
}
