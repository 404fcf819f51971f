import type { KnownRequirement, NamedTest } from './requirement.ts';

const scenario = 'scenarios/cds-hooks';
const declared = 'entrances/cds-hooks/declared-cards';
const suggestions = 'entrances/cds-hooks/card-suggestions';
const outcome = 'entrances/cds-hooks/outcome-cards';
const folder = 'model-catalog/cds-cards';

const wholeCard: NamedTest = [scenario, 'CDS-30 to CDS-43: risk, horizon, contributions with value and date'];
const whatever: NamedTest = [outcome, 'CDS-30 to CDS-43 whatever a model is called and whatever it says'];
const drafts: NamedTest = [declared, 'CDS-37 CDS-38 CDS-39 suggests by band, drafts for the patient'];
const reasonsAndLinks: NamedTest = [declared, 'CDS-41 CDS-42 has the reasons and the links of the model'];
const source: NamedTest = [outcome, 'CDS-35 CDS-42 DSI-40 leads to the card of the very version'];

/** What a service answers: cards with all that they hold, and what came of them. */
export const answers: readonly KnownRequirement[] = [
  { ids: [74], says: 'Success is 200 with a list of cards', kind: 'shown', tests: [wholeCard] },
  {
    ids: [75],
    says: 'systemActions are there for clients that are configured for them, and left out elsewhere',
    kind: 'shown',
    tests: [
      [declared, 'CDS-43 give the result to a client that is configured for it'],
      [declared, 'CDS-30 CDS-43 are left out for every other client'],
    ],
  },
  {
    ids: [77],
    says: 'Nothing to say is 200 with no card',
    kind: 'shown',
    tests: [[scenario, 'shows no card for a low band and for who is not eligible']],
  },
  {
    ids: [80, 81],
    says: 'Every card has a UUID of its own',
    kind: 'shown',
    tests: [[scenario, 'CDS-31 a card has a UUID of its own, also where the same call comes again']],
  },
  {
    ids: [82],
    says: 'By its UUID a card is found in the prediction log',
    kind: 'shown',
    tests: [[scenario, 'CDS-50 to CDS-54 is kept once and joined by the card']],
  },
  {
    ids: [83],
    says: 'A summary has fewer than 140 characters, and no half one',
    kind: 'shown',
    tests: [whatever, ['fhir/markdown-text', 'is clipped between characters']],
  },
  {
    ids: [84, 85],
    says: 'A detail is GitHub-Flavored Markdown, in which every word of a record is escaped',
    kind: 'shown',
    tests: [
      [declared, 'CDS-33 words its detail by the template'],
      [folder, 'CDS-33 refuses a template with HTML'],
      ['fhir/markdown-text', '%j is shown as it is'],
    ],
  },
  {
    ids: [87, 88],
    says: 'The indicator is info, warning or critical, as the model declares it',
    kind: 'shown',
    tests: [[declared, 'CDS-34 shows low, high, abstained, not eligible and disabled each as declared']],
  },
  {
    ids: [90, 91, 105, 106, 107, 108],
    says: 'The source has the name of the model and the absolute URL of its card',
    kind: 'shown',
    tests: [source, wholeCard],
  },
  {
    ids: [109, 110],
    says: 'The source is the same for every patient; what is about this one stands on the card or behind its links',
    kind: 'shown',
    tests: [source, reasonsAndLinks],
  },
  {
    ids: [92, 94, 117, 123, 124],
    says: 'Suggestions are those that the model declares, with label and drafts, and left out where there are none',
    kind: 'shown',
    tests: [drafts, [outcome, 'CDS-37 suggests and orders nothing that its model does not declare']],
  },
  {
    ids: [93, 95, 96],
    says: 'Beside suggestions it is said whether one may be taken or any number of them',
    kind: 'shown',
    tests: [drafts, [suggestions, 'CDS-37 CDS-38 where any number may be taken, several may be recommended']],
  },
  {
    ids: [118, 119],
    says: 'Each suggestion has a UUID',
    kind: 'shown',
    tests: [[declared, 'CDS-38 names each suggestion by a UUID of its own']],
  },
  {
    ids: [120, 121, 122],
    says: 'Several are recommended only where any number may be taken',
    kind: 'shown',
    tests: [
      [suggestions, 'CDS-37 CDS-38 where any number may be taken, several may be recommended'],
      [folder, 'refuses CDS-38 two recommended of at most one'],
    ],
  },
  {
    ids: [125],
    says: 'All actions of a suggestion belong together: none is told apart, none is left out',
    kind: 'shown',
    tests: [[suggestions, 'CDS-40 all actions of a suggestion are told, or the suggestion is not given']],
  },
  {
    ids: [127, 128, 130, 131],
    says: 'An action creates a new resource, valid in R4 and without an id, and says what it does',
    kind: 'shown',
    tests: [drafts, [declared, 'CDS-39 answers no draft that the server of the patient would refuse']],
  },
  {
    ids: [98, 99],
    says: 'Override reasons are those of the model, or the usual ones',
    kind: 'shown',
    tests: [reasonsAndLinks, [suggestions, 'CDS-36 CDS-41 where a model has no reasons of its own']],
  },
  {
    ids: [100, 136, 216, 217, 218, 219],
    says: 'Each reason has code, system and words',
    kind: 'shown',
    tests: [
      [suggestions, 'CDS-36 CDS-41 where a model has no reasons of its own'],
      [folder, 'refuses CDS-41 a reason without words'],
      ['entrances/cds-hooks/cds-response-checker', 'refuses: CDS-41 override reason without display'],
    ],
  },
  {
    ids: [103, 104, 138, 139, 140, 141, 142],
    says: 'Links have label, address and type; the model card is always one of them',
    kind: 'shown',
    tests: [reasonsAndLinks, source, [folder, 'refuses CDS-42 a link without encryption']],
  },
  {
    ids: [144, 145, 146, 147],
    says: 'A context is text for an app that is launched, never for a page',
    kind: 'shown',
    tests: [
      [folder, 'refuses CDS-42 a context for a page'],
      [suggestions, 'CDS-42 what an app is told at its launch'],
    ],
  },
  {
    ids: [214, 215],
    says: 'The extension of a card is an object under a name of our domain',
    kind: 'shown',
    tests: [[outcome, 'has the unrounded score, the identifier and the as-of of the site in its extension']],
  },
  {
    ids: [148, 152],
    says: 'Feedback is taken below the address of its service',
    kind: 'shown',
    tests: [
      [scenario, 'CDS-50 to CDS-54 is kept once and joined by the card'],
      [scenario, 'CDS-7 CDS-17 other methods and paths are answered in JSON'],
    ],
  },
];
