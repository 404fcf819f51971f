import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { PredictionError } from '../../platform/errors.ts';
import { faultsBetween } from './access-faults.ts';
import { type AccessSettings, accessSchema } from './access-schema.ts';
import { isFhirBase, locatedCdsClient } from './cds-client-section.ts';
import { isGuardedUrl } from './guarded-url.ts';

/**
 * Reads ACCESS_FILE; relative paths in it are relative to its folder.
 * Throws CONFIG_INVALID with one issue per fault: file, JSON path, what is allowed.
 */
export async function readAccessFile(file: string): Promise<AccessSettings> {
  const value = await readJson(file);
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true });
  ajv.addFormat('issuer-url', (text: string) => isGuardedUrl(text));
  ajv.addFormat('fhir-base', isFhirBase);
  const validate = ajv.compile<AccessSettings>(accessSchema);
  const faults = validate(value) ? faultsBetween(value) : [...new Set((validate.errors ?? []).flatMap(describe))];
  if (faults.length > 0) {
    const messages = faults.map((fault) => `ACCESS_FILE ${file}: ${fault}`);
    throw new PredictionError('CONFIG_INVALID', messages.join('\n'), {
      issues: messages.map((message) => ({ message })),
    });
  }
  return located(value as AccessSettings, path.dirname(path.resolve(file)));
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    const fault =
      code === undefined || code.startsWith('ERR_ENCODING')
        ? 'is not JSON in UTF-8; docs/security.md has an example.'
        : `cannot be read (${code}). Name a file this user may read.`;
    throw new PredictionError('CONFIG_INVALID', `ACCESS_FILE ${file} ${fault}`, { cause });
  }
}

function describe({ instancePath, keyword, params, message = 'is invalid' }: ErrorObject): string[] {
  const at = instancePath || 'the top level';
  switch (keyword) {
    case 'additionalProperties':
      return [
        `${at} has the unknown field '${params.additionalProperty}'. Remove it, or see docs/security.md for its right name.`,
      ];
    case 'required':
      return [`${at} lacks the field '${params.missingProperty}'. Add it.`];
    case 'const':
      return []; // said once, by the anyOf around it
    case 'enum':
    case 'anyOf':
      return [`${at} has a value that is not allowed there; docs/security.md lists the values.`];
    case 'format':
      if (params.format === 'fhir-base')
        return [`${at} must be an absolute http or https URL without user, password, query or fragment.`];
      return [
        `${at} must be an absolute https URL (http for a loopback name only) without user, password or fragment.`,
      ];
    default:
      return [`${at} ${message}.`];
  }
}

function located(access: AccessSettings, folder: string): AccessSettings {
  const at = (file: string): string => path.resolve(folder, file);
  return {
    ...access,
    issuers: access.issuers.map((issuer) => ({
      ...issuer,
      ...(issuer.jwksFile === undefined ? {} : { jwksFile: at(issuer.jwksFile) }),
      ...(issuer.introspection === undefined
        ? {}
        : { introspection: { ...issuer.introspection, clientSecretFile: at(issuer.introspection.clientSecretFile) } }),
    })),
    staticTokens: access.staticTokens.map((token) => ({ ...token, tokenFile: at(token.tokenFile) })),
    cdsClients: access.cdsClients.map((client) => locatedCdsClient(client, folder)),
  };
}
