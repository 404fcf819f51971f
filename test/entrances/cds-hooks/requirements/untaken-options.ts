import type { KnownRequirement, NamedTest } from './requirement.ts';

const wholeSource: NamedTest = [
  'scenarios/cds-hooks',
  'CDS-30 to CDS-43: risk, horizon, contributions with value and date',
];

/** Options of a service that this one does not take. */
export const untakenOptions: readonly KnownRequirement[] = [
  {
    ids: [111, 112, 113],
    says: 'No icon: a source has label and url alone',
    kind: 'not-taken',
    tests: [wholeSource],
  },
  {
    ids: [115, 116, 220],
    says: 'No topic: a source has label and url alone',
    kind: 'not-taken',
    tests: [wholeSource],
  },
  {
    ids: [132, 133, 134, 135],
    says: 'Nothing that is there is changed or removed: an action creates, and has no resourceId',
    kind: 'not-taken',
    tests: [['model-catalog/cds-cards', 'refuses CDS-39 an action that … what is there']],
  },
  {
    ids: [175, 179],
    says: 'Certificates of clients: a proxy before the server may ask for them, beside the JWT',
    kind: 'not-taken',
    tests: [],
  },
];
