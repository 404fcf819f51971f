import { belowBase, isFhirId } from '../../fhir/reference.ts';
import type { Principal } from '../principal.ts';
import type { AccessSettings } from './access-schema.ts';
import { InvalidToken, type TokenClaims } from './issuer-claims.ts';
import { parseScopes } from './scopes.ts';

/**
 * Who shows a token with these claims.
 * @param fhirBase of this server: people whom the token names there are its own
 * Throws InvalidToken where its client is not declared, or its patient has no id.
 */
export function principalOfClaims(
  claims: TokenClaims,
  { issuers, clients }: AccessSettings,
  fhirBase: string,
): Principal {
  const { issuer, clientId, patient } = claims;
  const client = clients.find((declared) => declared.issuer === issuer && declared.clientId === clientId);
  if (client === undefined) throw new InvalidToken('its client is not declared in ACCESS_FILE');
  const launched = patient?.startsWith('Patient/') === true ? patient.slice('Patient/'.length) : patient;
  if (launched !== undefined && !isFhirId(launched)) throw new InvalidToken('its patient has no FHIR id');
  const { fhir, own } = parseScopes(claims.scope);
  const ownCount = issuers.find((declared) => declared.issuer === issuer)?.grantsOwnScopes === true;
  const user = userOf(claims.user ?? '', fhirBase);
  return {
    provedBy: 'access-token',
    client: client.name ?? clientId,
    key: `${issuer} ${clientId}`,
    ...(user === undefined ? {} : { user }),
    roles: new Set(client.roles),
    fhir: { scopes: fhir, ...(launched === undefined ? {} : { patient: launched }) },
    ...(ownCount ? { ownScopes: own } : {}),
    cdsHooks: { writesBack: false, systemActions: false },
  };
}

/**
 * `Practitioner/17` of this server, or the URL of somebody of another one: the number is then another person's. What is no
 * reference to a person is left out of the log.
 */
function userOf(fhirUser: string, fhirBase: string): string | undefined {
  const reference = belowBase(fhirUser, fhirBase) ?? fhirUser;
  const isPerson =
    /^(?:https?:\/\/[!-~]+\/)?(?:Practitioner|PractitionerRole|Patient|RelatedPerson|Person)\/[A-Za-z0-9.-]{1,64}$/;
  return isPerson.test(reference) ? reference : undefined;
}
