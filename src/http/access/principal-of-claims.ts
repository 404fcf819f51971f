import { isFhirId } from '../../fhir/reference.ts';
import type { Principal } from '../principal.ts';
import type { AccessSettings } from './access-schema.ts';
import { InvalidToken, type TokenClaims } from './issuer-claims.ts';
import { parseScopes } from './scopes.ts';

/** Who shows a token with these claims. Throws InvalidToken where its client is not declared, or its patient has no id. */
export function principalOfClaims(claims: TokenClaims, { issuers, clients }: AccessSettings): Principal {
  const { issuer, clientId, patient } = claims;
  const client = clients.find((declared) => declared.issuer === issuer && declared.clientId === clientId);
  if (client === undefined) throw new InvalidToken('its client is not declared in ACCESS_FILE');
  const launched = patient?.startsWith('Patient/') === true ? patient.slice('Patient/'.length) : patient;
  if (launched !== undefined && !isFhirId(launched)) throw new InvalidToken('its patient has no FHIR id');
  const { fhir, own } = parseScopes(claims.scope);
  const ownCount = issuers.find((declared) => declared.issuer === issuer)?.grantsOwnScopes === true;
  const user = userOf(claims.user);
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

/** `Practitioner/17`, also at the end of a URL; what is no reference to a person is left out of the log. */
function userOf(fhirUser: string | undefined): string | undefined {
  const [, reference] =
    /(?:^|\/)((?:Practitioner|PractitionerRole|Patient|RelatedPerson|Person)\/[A-Za-z0-9.-]{1,64})$/.exec(
      fhirUser ?? '',
    ) ?? [];
  return reference;
}
