import type { KnownRequirement, NamedTest } from './requirement.ts';

const request = 'entrances/cds-hooks/parse-hook-request';
const feedback = 'entrances/cds-hooks/parse-feedback';
const prefetch = 'entrances/cds-hooks/read-prefetch';
const attacks = 'http/access/cds-token-attacks';
const scenario = 'scenarios/cds-hooks';

const absent: NamedTest = [prefetch, 'CDS-23 not at all, where the key is not there'];
const kept: NamedTest = [scenario, 'CDS-50 to CDS-54 is kept once and joined by the card'];
const reason: NamedTest = [feedback, 'CDS-51 CDS-52 may say why'];

/** Duties and choices of a client that a service sees: what it does with who keeps to them, and who does not. */
export const ofClients: readonly KnownRequirement[] = [
  {
    ids: [15],
    says: 'A call is a POST of JSON',
    kind: 'answered',
    tests: [
      [scenario, 'CDS-7 CDS-17 other methods and paths are answered in JSON'],
      [scenario, 'CDS-17 415 for another content type'],
    ],
  },
  {
    ids: [18],
    says: 'hook is there, and is one of the service',
    kind: 'answered',
    tests: [
      [request, 'CDS-10 to CDS-14: hook of %j is refused'],
      [request, 'CDS-10 a hook that the service does not offer is refused'],
    ],
  },
  {
    ids: [19],
    says: 'hookInstance is a UUID',
    kind: 'answered',
    tests: [[request, 'CDS-10 to CDS-14: hookInstance of %j']],
  },
  {
    ids: [20],
    says: 'fhirServer is a URL, and there where a token is; over a network the server is asked by https alone',
    kind: 'answered',
    tests: [
      [request, 'CDS-10 to CDS-14: fhirServer of %j is refused'],
      ['platform/config', 'CDS-6, CDS-12: no call and no token of a call crosses a network in the clear'],
    ],
  },
  {
    ids: [21, 32, 65],
    says: 'A token may come beside a prefetch, or be left out; it is never null',
    kind: 'answered',
    tests: [
      [scenario, 'CDS-23 CDS-15 only the keys that are not there are asked, with the token of the call'],
      [request, 'CDS-10 to CDS-14: fhirAuthorization of %j is refused'],
    ],
  },
  {
    ids: [22],
    says: 'The context of the hook is there, whole',
    kind: 'answered',
    tests: [[request, 'CDS-14 %s needs context.%s, never null, empty or of another kind']],
  },
  {
    ids: [23, 37, 49, 51],
    says: 'A prefetch may hold some keys or none; what is not there is asked of the server, or cannot be had',
    kind: 'answered',
    tests: [
      absent,
      [scenario, 'without prefetch everything is asked of the listed server, and the score is the same'],
      [scenario, 'CDS-26 412: a key that is missing and no fhirServer'],
    ],
  },
  {
    ids: [30],
    says: 'Values are resources, or Bundles of what was found',
    kind: 'answered',
    tests: [
      [prefetch, 'with the resource of a read and those of a search'],
      [prefetch, 'a Bundle for a read'],
    ],
  },
  {
    ids: [46, 47],
    says: 'What a service did not ask for is not looked at',
    kind: 'answered',
    tests: [[prefetch, 'keys that nobody asked for are ignored, whatever they hold']],
  },
  {
    ids: [48],
    says: 'A first page is completed, or is no answer',
    kind: 'answered',
    tests: [
      [scenario, 'CDS-25 is completed by the pages that follow'],
      [prefetch, 'CDS-25 of which more may follow'],
    ],
  },
  {
    ids: [50],
    says: 'An error is told by an OperationOutcome',
    kind: 'answered',
    tests: [[scenario, 'CDS-24 says of a failed search which one it is']],
  },
  {
    ids: [53],
    says: 'null is known to be none',
    kind: 'answered',
    tests: [
      [prefetch, 'CDS-23 with nothing, where it is null or a Bundle without entries'],
      [scenario, 'CDS-23 null is an answer: it is not asked again'],
    ],
  },
  {
    ids: [66, 67, 68, 69, 70],
    says: 'A token comes with type, lifetime, scope and subject; its type is read in any case',
    kind: 'answered',
    tests: [
      [request, 'CDS-13 fhirAuthorization needs %s'],
      [request, 'CDS-10 to CDS-14: fhirAuthorization of %j is refused'],
      [request, 'unknown fields are tolerated, also null ones, and the token type is read in any case'],
    ],
  },
  {
    ids: [71],
    says: 'A token for one patient is for the one of the call',
    kind: 'answered',
    tests: [[request, 'CDS-10 to CDS-14: fhirAuthorization of %j is refused']],
  },
  {
    ids: [72],
    says: 'A token is used as long as it lives, however short that is',
    kind: 'answered',
    tests: [
      ['entrances/cds-hooks/reading-limit', 'is used until it expires'],
      [scenario, 'a token that has expired is sent to nobody'],
    ],
  },
  {
    ids: [79, 155],
    says: 'Feedback names its card by the UUID of the answer',
    kind: 'answered',
    tests: [
      kept,
      [feedback, 'is refused as a whole: no card'],
      [feedback, 'is refused as a whole: a card that is no UUID'],
    ],
  },
  {
    ids: [102],
    says: 'A reason may be one of the client',
    kind: 'answered',
    tests: [reason],
  },
  {
    ids: [151, 153, 154],
    says: 'Feedback is a POST of a list under its name, to its service',
    kind: 'answered',
    tests: [
      [feedback, 'CDS-50 CDS-51 is a list of what became of cards'],
      [feedback, 'is refused as a whole: a bare item'],
      [scenario, 'CDS-7 CDS-17 other methods and paths are answered in JSON'],
    ],
  },
  {
    ids: [156, 157],
    says: 'A card was accepted or overridden',
    kind: 'answered',
    tests: [
      [feedback, 'CDS-50 CDS-51 is a list of what became of cards'],
      [feedback, 'is refused as a whole: no outcome'],
      [feedback, 'is refused as a whole: another outcome'],
    ],
  },
  {
    ids: [158, 162],
    says: 'Accepted is something, by its UUID',
    kind: 'answered',
    tests: [
      [feedback, 'is refused as a whole: accepted without what'],
      [feedback, 'is refused as a whole: accepted what has no UUID'],
      ['monitoring/cds-feedback', 'CDS-51 tells suggestions of the card from others'],
    ],
  },
  {
    ids: [159, 160, 165, 166, 167],
    says: 'Why a card was overridden may be told by a code, in words, or both',
    kind: 'answered',
    tests: [
      reason,
      [feedback, 'is refused as a whole: an empty reason'],
      [feedback, 'is refused as a whole: a reason without system'],
      [feedback, 'is refused as a whole: a comment that is no text'],
    ],
  },
  {
    ids: [161],
    says: 'When it happened is an instant; one in another zone than UTC is read too',
    kind: 'answered',
    tests: [
      [feedback, 'is refused as a whole: no timestamp'],
      [feedback, 'is refused as a whole: no zone'],
      [feedback, 'the card is known in any case, and the instant in any zone'],
    ],
  },
  {
    ids: [178],
    says: 'The JWT stands in the Authorization header of every call',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-60: no token'],
      [attacks, 'CDS-60: a token elsewhere than in the header is none'],
      [attacks, 'CDS-63: discovery, service and feedback each by a token for the URL that is invoked'],
    ],
  },
  {
    ids: [180],
    says: 'It is signed with the key of the client',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-61: a signature taken off'],
      [attacks, 'CDS-64: a signature of another key under the right kid'],
      [attacks, 'CDS-64: a claim changed after signing'],
    ],
  },
  {
    ids: [181],
    says: 'It says by which algorithm',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-64: no alg'],
      [attacks, 'CDS-64: alg that is a list'],
    ],
  },
  {
    ids: [182],
    says: 'It names its key',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-61: no kid'],
      [attacks, 'CDS-61: a kid that is a number'],
    ],
  },
  {
    ids: [183],
    says: 'No two keys of a client have one name',
    kind: 'answered',
    tests: [[attacks, 'CDS-61: a kid that two keys have']],
  },
  {
    ids: [184],
    says: 'Its type is JWT',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-61: no typ'],
      [attacks, 'CDS-61: the typ of an access token'],
    ],
  },
  {
    ids: [185, 186, 198],
    says: 'It may name the address of its keys',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-65: one that names its listed key set'],
      [attacks, 'CDS-61: an EHR whose token names no key set'],
      [attacks, 'CDS-65: a file as jku'],
    ],
  },
  {
    ids: [187, 188],
    says: 'It names who made it, the client or an identity provider: whoever is declared, letter by letter',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-62: no iss'],
      [attacks, 'CDS-65: two issuers'],
      [attacks, 'CDS-65: the issuer of another client'],
    ],
  },
  {
    ids: [189, 196],
    says: 'Its audience, or one of them, is the URL that is called',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-62: one whose audience is a list'],
      [attacks, 'CDS-62: no aud'],
      [attacks, 'CDS-63: the URL of another service'],
    ],
  },
  {
    ids: [190],
    says: 'It says when it expires',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-62: no exp'],
      [attacks, 'CDS-62: an exp that is text'],
      [attacks, 'CDS-66: an expired token'],
    ],
  },
  {
    ids: [191],
    says: 'It says when it was made',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-62: no iat'],
      [attacks, 'CDS-62: an iat tomorrow'],
    ],
  },
  {
    ids: [192],
    says: 'It has a nonce, and is good once',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-62: no jti'],
      [attacks, 'not again at the server, nor at a replica on the same database'],
    ],
  },
  {
    ids: [193, 194],
    says: 'It names its tenant where tenants are declared, and none elsewhere',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-64: one with RS384, of a tenant that is listed'],
      [attacks, 'CDS-66: a tenant where none is listed'],
      [attacks, 'CDS-66: another tenant than those listed'],
      [attacks, 'CDS-66: no tenant where some are listed'],
    ],
  },
  {
    ids: [197],
    says: 'Its public keys are a JWK Set',
    kind: 'answered',
    tests: [
      ['wire-cds-callers', 'CDS-60, CDS-65: asks the listed key set over HTTP'],
      ['http/access/key-set', 'leave out what is no public key for signatures'],
    ],
  },
  {
    ids: [202],
    says: 'It is signed with an algorithm',
    kind: 'answered',
    tests: [
      [attacks, 'CDS-64: alg … and no signature'],
      [attacks, 'CDS-64: alg … and some signature'],
    ],
  },
];
