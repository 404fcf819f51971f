import type { KnownRequirement } from './requirement.ts';

const scenario = 'scenarios/cds-hooks';
const library = 'scenarios/cds-hooks-library';
const catalog = 'model-catalog/cds-hooks';
const prefetch = 'entrances/cds-hooks/read-prefetch';
const service = 'entrances/cds-hooks/hook-service';

/** What a service tells of itself, how it is called, and where its data come from. */
export const discoveryAndData: readonly KnownRequirement[] = [
  {
    ids: [1],
    says: 'JSON is what is sent, and all that is taken',
    kind: 'shown',
    tests: [
      [scenario, 'CDS-1 CDS-2 CDS-5 CDS-6 lists every service of the manifests as plain JSON'],
      [scenario, 'CDS-17 415 for another content type'],
      ['fhir/client/fhir-client', 'asks for FHIR 4.0 as JSON'],
    ],
  },
  {
    ids: [3],
    says: 'Nothing is null or empty but where that means something, in what is sent and in what is taken',
    kind: 'shown',
    tests: [
      [service, 'CDS-5 nothing that discovery tells is null or empty'],
      ['entrances/cds-hooks/outcome-cards', 'CDS-30 to CDS-43 whatever a model is called and whatever it says'],
      ['entrances/cds-hooks/parse-hook-request', 'CDS-14 %s needs context.%s, never null, empty or of another kind'],
    ],
  },
  {
    ids: [4, 6, 13],
    says: 'Discovery is a list of services at one address',
    kind: 'shown',
    tests: [
      [scenario, 'CDS-1 CDS-2 CDS-5 CDS-6 lists every service of the manifests as plain JSON'],
      ['scenarios/conformance', 'meets every requirement that can be seen from outside'],
    ],
  },
  {
    ids: [5],
    says: 'Discovery answers also where there is nothing to offer',
    kind: 'shown',
    tests: [
      [service, 'CDS-1 where no service is offered discovery is an empty list, and no error'],
      ['scenarios/version-life-cycle', 'of a model: $predict says so, discovery lists no service'],
    ],
  },
  {
    ids: [7, 8, 9, 10, 11, 12],
    says: 'A service has hook, title, description, id, templates and what it needs, each of its type',
    kind: 'shown',
    tests: [
      [service, 'CDS-2 each service is told by texts'],
      [catalog, 'is refused with place and reason: no description (CDS-2)'],
      ['scenarios/conformance', 'meets every requirement that can be seen from outside'],
    ],
  },
  {
    ids: [14, 76],
    says: 'What cannot be answered is 4xx or 5xx',
    kind: 'shown',
    tests: [[scenario, 'CDS-7 CDS-17 other methods and paths are answered in JSON']],
  },
  {
    ids: [16],
    says: 'A service is called at its id below discovery',
    kind: 'shown',
    tests: [[library, 'CDS-4 CDS-14 %s gives the verdict of its patient']],
  },
  {
    ids: [27],
    says: 'An answer comes within half a second, also where the score does not',
    kind: 'shown',
    tests: [
      [scenario, 'CDS-16 a score that is late is said to be late and nothing else'],
      ['platform/config', 'all have a default but the URLs'],
    ],
  },
  {
    ids: [28, 34, 60],
    says: 'Data come with the call, from the server of the call, or from both',
    kind: 'shown',
    tests: [
      [scenario, 'CDS-23 with full prefetch nobody is asked'],
      [scenario, 'without prefetch everything is asked of the listed server, and the score is the same'],
      [scenario, 'CDS-23 CDS-15 only the keys that are not there are asked, with the token of the call'],
    ],
  },
  {
    ids: [29, 36],
    says: 'What is to be prefetched stands in discovery, each template under a key, by which it is read in the call',
    kind: 'shown',
    tests: [
      [catalog, 'CDS-20 CDS-22 of %s are the very searches that a server would be asked'],
      [prefetch, 'with the resource of a read and those of a search'],
    ],
  },
  {
    ids: [35, 55, 56, 57, 59],
    says: 'The one token of templates is the id of the patient, a primitive field at the root of every context',
    kind: 'shown',
    tests: [[catalog, 'CDS-21 hold no token but the patient']],
  },
  {
    ids: [58],
    says: 'Templates are reads by id and searches by patient and code; the search for an opt-out by Group can be switched off',
    kind: 'shown',
    tests: [
      [catalog, 'CDS-20 CDS-22 of %s are the very searches that a server would be asked'],
      [catalog, 'leave out what is not searched for an opt-out'],
    ],
  },
  {
    ids: [52],
    says: 'An OperationOutcome in the place of an answer, or within one, is a search that failed',
    kind: 'shown',
    tests: [
      [prefetch, 'with CDS-24 an OperationOutcome'],
      [prefetch, 'with CDS-24 a Bundle that holds a failed OperationOutcome'],
    ],
  },
  {
    ids: [54],
    says: 'Data that cannot be obtained are 412',
    kind: 'shown',
    tests: [
      [scenario, 'CDS-26 412: no prefetch and no fhirServer'],
      [scenario, 'CDS-26 412: 401'],
      [scenario, 'CDS-26 412: a server that hangs'],
    ],
  },
  {
    ids: [61],
    says: 'Every request to the server of a call carries the token of the call, never that of another and never one that has expired',
    kind: 'shown',
    tests: [
      [scenario, 'CDS-23 CDS-15 only the keys that are not there are asked, with the token of the call'],
      [scenario, 'a token that has expired is sent to nobody'],
      ['scenarios/cds-hooks-two-servers', 'CDS-15 CDS-25: 100 interleaved hooks never cross'],
    ],
  },
  {
    ids: [210, 211],
    says: 'A service that goes on at another hook has one id at both',
    kind: 'shown',
    tests: [
      [library, 'CDS-3 CDS-4 is discovered with its version, one id at many hooks'],
      [library, 'CDS-4 CDS-14 %s gives the verdict of its patient'],
    ],
  },
  {
    ids: [213],
    says: 'Which hooks patients depend on is agreed with the EHR',
    kind: 'agreed',
    section: { page: 'docs/cds-hooks.md', heading: '## What to agree on with an EHR' },
  },
];
