import type { Principal } from '../../http/principal.ts';
import { PredictionError } from '../../platform/errors.ts';

/**
 * A client names the patients of its own servers only: a result is kept under the server that the call names.
 * @param base as the call names it, in the spelling of a parsed URL without a trailing slash; absent where it names none
 * Throws FORBIDDEN.
 */
export function checkFhirServer(base: string | undefined, { client, cdsHooks: { fhirServers } }: Principal): void {
  if (base === undefined || fhirServers === undefined || fhirServers.includes(base)) return;
  const message = `fhirServer is not one that the CDS client ${client} may name. Leave it out, or have it added to the client's fhirServers in ACCESS_FILE.`;
  throw new PredictionError('FORBIDDEN', message, { issues: [{ message, expression: 'fhirServer' }] });
}
