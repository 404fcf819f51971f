import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { settingsFile } from '../../platform/settings-file.ts';
import { faultsBetween } from './access-faults.ts';
import { type AccessSettings, accessSchema } from './access-schema.ts';
import { isFhirBase, locatedCdsClient } from './cds-client-section.ts';
import { isGuardedUrl } from './guarded-url.ts';

/**
 * Reads ACCESS_FILE; relative paths in it are relative to its folder.
 * Throws CONFIG_INVALID with one issue per fault: file, JSON path, what is allowed.
 */
export async function readAccessFile(file: string): Promise<AccessSettings> {
  const settings = settingsFile({
    variable: 'ACCESS_FILE',
    file,
    docs: 'docs/security.md',
    optional: false,
    ownWords,
  });
  const value = await settings.read();
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true });
  ajv.addFormat('issuer-url', (text: string) => isGuardedUrl(text));
  ajv.addFormat('fhir-base', isFhirBase);
  const validate = ajv.compile<AccessSettings>(accessSchema);
  const faults = validate(value) ? faultsBetween(value) : settings.faultsOf(saidOnce(validate.errors ?? []));
  if (faults.length > 0) throw settings.invalid(faults);
  return located(value as AccessSettings, path.dirname(path.resolve(file)));
}

/** A constant is one of a choice, about which the anyOf around it speaks. */
function saidOnce(errors: readonly ErrorObject[]): ErrorObject[] {
  return errors.filter(({ keyword }) => keyword !== 'const');
}

function ownWords({ keyword, params }: ErrorObject, at: string): string | undefined {
  if (keyword !== 'format') return undefined;
  return params.format === 'fhir-base'
    ? `${at} must be an absolute http or https URL without user, password, query or fragment.`
    : `${at} must be an absolute https URL (http for a loopback name only) without user, password or fragment.`;
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
