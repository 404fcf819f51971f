import type { KnownRequirement } from './requirement.ts';

const attacks = 'http/access/cds-token-attacks';
const accessFile = 'http/access/read-access-file';
const config = 'platform/config';

/** How a service and its clients trust each other. */
export const trust: readonly KnownRequirement[] = [
  {
    ids: [2, 168],
    says: 'HTTPS, spoken here or by a proxy; plain HTTP is for one machine alone',
    kind: 'shown',
    tests: [
      [config, 'CDS-6, CDS-12: no call and no token of a call crosses a network in the clear'],
      [config, 'HOST 0.0.0.0 with AUTH=none refuses to start'],
      ['http/tls-files', 'TLS 1.2 and 1.3 are spoken, and nothing older'],
    ],
  },
  {
    ids: [176],
    says: 'Clients prove who they are by signed JWTs',
    kind: 'shown',
    tests: [
      [
        'scenarios/cds-hooks-callers',
        'CDS-60: discovery, services and feedback answer a declared client, and nobody else',
      ],
    ],
  },
  {
    ids: [177],
    says: 'Whoever is not on this machine must prove it',
    kind: 'shown',
    tests: [
      [config, 'HOST 0.0.0.0 with AUTH=none refuses to start'],
      ['http/loopback-only', 'without authentication everybody else reads nothing'],
    ],
  },
  {
    ids: [195],
    says: 'Issuers and key addresses are listed, and no other one is ever asked',
    kind: 'shown',
    tests: [
      [attacks, 'CDS-65: an issuer that is not listed'],
      [attacks, 'CDS-65: a jku that is not listed'],
      ['http/access/cds-keys-elsewhere', 'CDS-65: a jku that is not listed is not asked'],
    ],
  },
  {
    ids: [199],
    says: 'Where a token names no keys, they are those that were agreed on: a listed address or a file',
    kind: 'shown',
    tests: [
      [attacks, 'CDS-61: an EHR whose token names no key set'],
      ['wire-cds-callers', 'CDS-65: takes the keys of a keysFile'],
    ],
  },
  {
    ids: [201, 203],
    says: 'No token without a signature, and none signed with what both sides know',
    kind: 'shown',
    tests: [
      [attacks, 'CDS-64: alg … and no signature'],
      [attacks, 'CDS-64: HS256 keyed with the public key as PEM'],
      [accessFile, 'stops the start for CDS-64: a CDS client with HS256'],
      [accessFile, 'stops the start for CDS-64: a CDS client with none'],
    ],
  },
  {
    ids: [200, 205, 206],
    says: 'ES384 and RS384 are taken unless a client is declared with others of the same kinds',
    kind: 'shown',
    tests: [
      [accessFile, 'CDS-64: takes ES384 and RS384 from a CDS client by default'],
      [attacks, 'CDS-64: RS256, which the client has not declared'],
    ],
  },
  {
    ids: [208],
    says: 'Pages of listed origins may call from a browser, and of no other',
    kind: 'shown',
    tests: [
      ['http/access/cors', 'that is listed is told before any token that it may send one'],
      ['http/access/cors', 'https://attacker.example.org, that is not listed'],
    ],
  },
  {
    ids: [207],
    says: 'A thought about design, which the list itself counts no more',
    kind: 'not-ours',
  },
];
