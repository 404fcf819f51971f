import type { AccessSettings } from './access-schema.ts';
import { faultsOfCdsClients } from './cds-client-section.ts';

/** What the schema cannot say: names that point nowhere or twice, and issuers whose tokens nothing could verify. */
export function faultsBetween({ issuers, clients, staticTokens, cdsClients }: AccessSettings): string[] {
  const faults: string[] = [];
  for (const [index, issuer] of issuers.entries()) {
    const at = `/issuers/${index}`;
    const ways = ['jwksUri', 'jwksFile', 'introspection'].filter((way) => Object.hasOwn(issuer, way));
    if (ways.length !== 1) {
      const found = ways.length === 0 ? 'none' : ways.join(' and ');
      faults.push(`${at} needs exactly one of jwksUri, jwksFile and introspection; it has ${found}.`);
    }
    if (issuers.findIndex((other) => other.issuer === issuer.issuer) !== index)
      faults.push(`${at}/issuer '${issuer.issuer}' is declared twice. Keep one.`);
  }
  // A token that is no JWT names no issuer: more than one could not be told apart.
  if (issuers.filter(({ introspection }) => introspection !== undefined).length > 1)
    faults.push(
      '/issuers has introspection more than once: at most one issuer can be asked about tokens that are no JWT.',
    );
  for (const [index, client] of clients.entries()) {
    const at = `/clients/${index}`;
    if (!issuers.some(({ issuer }) => issuer === client.issuer))
      faults.push(`${at}/issuer '${client.issuer}' is none of the issuers. Declare it there, or correct it.`);
    const same = clients.findIndex((other) => other.issuer === client.issuer && other.clientId === client.clientId);
    if (same !== index) faults.push(`${at} declares the client '${client.clientId}' a second time. Keep one.`);
  }
  for (const [index, token] of staticTokens.entries()) {
    if (staticTokens.findIndex(({ name }) => name === token.name) !== index)
      faults.push(`/staticTokens/${index}/name '${token.name}' is used twice. Give each token a name of its own.`);
  }
  return [...faults, ...faultsOfCdsClients(cdsClients)];
}
