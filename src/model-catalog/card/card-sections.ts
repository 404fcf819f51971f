import type { Outcome } from '../outcome-schema.ts';
import {
  knownWords,
  measuredInWords,
  measuredWords,
  measureName,
  notAvailableText,
  ownerWords,
  regulatoryWords,
  reviewWords,
  riskTierWords,
  roleWords,
  settingWords,
} from './card-words.ts';
import { type CardOf, sourceAttributes, sourceAttributesRule } from './source-attributes.ts';

/** A part of a card that every rendering has. All texts are plain. */
export interface CardSection {
  readonly title: string;
  readonly blocks: readonly CardBlock[];
}

/** A paragraph, a list, or a table; a line break in a cell stays one. */
export type CardBlock =
  | { readonly text: string }
  | { readonly items: readonly string[] }
  | { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** What a card says, as sections that a clinician reads from the top. The source attributes are a section of their own. */
export function cardSections(of: CardOf, today?: string): CardSection[] {
  const { card, manifest } = of;
  const { intendedUse, algorithm, trainingData, fairness, externalValidation, maintenance, developer, licence } = card;
  const labelOf = (feature: string): string => of.featureMap.features[feature]?.label ?? feature;
  return [
    {
      title: 'At a glance',
      blocks: [
        terms([
          ['Purpose', intendedUse.purpose],
          ['Regulatory status', card.regulatory.map(regulatoryWords).join('\n')],
          ['Owner', ownerWords(card)],
          ['Risk tier', riskTierWords(card)],
          ['Review', reviewWords(card, today ?? '')],
          ['Model', `${manifest.id}, version ${manifest.version}`],
          ['Digest (SHA-256)', of.digest],
          ...(manifest.supersededBy === undefined
            ? []
            : [['Superseded by', `${manifest.supersededBy.model}: ${manifest.supersededBy.because}`] as const]),
        ]),
      ],
    },
    {
      title: 'Intended use',
      blocks: [
        terms([
          ['For whom', intendedUse.population],
          ['Who reads it', intendedUse.users],
          ['Part in decisions', roleWords(card)],
        ]),
        { text: 'It must not be used for:' },
        { items: intendedUse.outOfScope },
      ],
    },
    { title: 'Cautions', blocks: [{ items: manifest.cautions }] },
    { title: 'Limitations', blocks: [{ items: card.limitations }] },
    {
      title: 'What it says',
      blocks: [
        {
          head: ['Outcome', 'Kind', 'Within', 'What it is'],
          rows: card.outputs.map(({ outcome, description }) => outputRow(manifest.outcomes, outcome, description)),
        },
        { text: `Contributions: ${card.explanation}` },
      ],
    },
    {
      title: 'What it reads',
      blocks: [
        {
          head: ['Input', 'What it is'],
          rows: card.inputs.map(({ feature, description }) => [labelOf(feature), description]),
        },
      ],
    },
    {
      title: 'How it was made',
      blocks: [
        terms([
          ['Kind of model', algorithm.type],
          ['Development', algorithm.development],
          ...(algorithm.coefficients === undefined
            ? []
            : ([
                ['Coefficients', `${algorithm.coefficients.set}; ${algorithm.coefficients.source}`],
                ['How they were checked', algorithm.coefficients.verification],
              ] as const)),
          ['Training data', knownWords(trainingData?.source)],
          ['Who was included', knownWords(trainingData?.criteria)],
          ['Whom they represent', knownWords(trainingData?.demographics)],
          ['Relevance for the place of use', knownWords(trainingData?.relevance)],
          ['Developer', developer.equation],
          ['This folder', developer.implementation],
          ['Contact', knownWords(developer.contact)],
          ['Funding', knownWords(card.funding)],
        ]),
      ],
    },
    {
      title: 'Measures',
      blocks: [
        card.performance.length === 0
          ? { text: `Measures: ${notAvailableText}.` }
          : {
              head: ['Measure', 'Outcome', 'Value', 'In whom', 'Where', 'Source'],
              rows: card.performance.map((measure) => [
                measureName(measure),
                measure.outcome ?? 'all',
                measuredWords(measure),
                measuredInWords(measure),
                settingWords(measure),
                measure.doi === undefined ? 'this card' : `doi:${measure.doi}`,
              ]),
            },
        terms([['Effect of its use on outcomes', knownWords(card.effectOnOutcomes)]]),
      ],
    },
    {
      title: 'Fairness',
      blocks: [
        terms([
          [
            'Sensitive inputs',
            fairness.sensitiveInputs.length === 0 ? 'none' : fairness.sensitiveInputs.map(labelOf).join(', '),
          ],
          ['What is known', fairness.statement],
          ['Approach', knownWords(fairness.approach)],
          ['Management of bias', knownWords(fairness.biasManagement)],
        ]),
      ],
    },
    {
      title: 'External validation',
      blocks: [
        terms([
          ['Data', knownWords(externalValidation?.source)],
          ['Who tested it', knownWords(externalValidation?.party)],
          ['Whom the data represent', knownWords(externalValidation?.demographics)],
          ['How', knownWords(externalValidation?.process)],
        ]),
      ],
    },
    {
      title: 'Maintenance',
      blocks: [
        terms([
          ['Monitoring of validity', knownWords(maintenance?.validityMonitoring)],
          ['Validity in data of the site', knownWords(maintenance?.localValidity)],
          ['Monitoring of fairness', knownWords(maintenance?.fairnessMonitoring)],
          ['Fairness in data of the site', knownWords(maintenance?.localFairness)],
          ['Updates', knownWords(maintenance?.updates)],
          ['Corrections', knownWords(maintenance?.corrections)],
        ]),
      ],
    },
    {
      title: 'Licences and sources',
      blocks: [
        terms([
          ['Licence of this folder', licence.software],
          ['Licence of the equation or weights', licence.equation],
        ]),
        { items: card.sources.map(({ citation, doi }) => (doi === undefined ? citation : `${citation}. doi:${doi}`)) },
        ...(card.codeLists.length === 0
          ? []
          : [
              {
                head: ['Input', 'Where its codes come from'],
                rows: card.codeLists.map(({ feature, source }) => [labelOf(feature), source]),
              },
            ]),
      ],
    },
  ];
}

/** The 31 source attributes as a table (DSI-1 to DSI-31). */
export function sourceAttributeSection(of: CardOf): CardSection {
  return {
    title: `Source attributes (${sourceAttributesRule})`,
    blocks: [
      {
        head: ['Key', 'Attribute', 'Value'],
        rows: sourceAttributes(of).map(({ key, name, value, because }) => [
          key,
          name,
          value ?? (because === undefined ? notAvailableText : `${notAvailableText}: ${because}`),
        ]),
      },
    ],
  };
}

function terms(rows: readonly (readonly [string, string])[]): CardBlock {
  return { head: ['', ''], rows };
}

function outputRow(outcomes: readonly Outcome[], id: string, description: string): string[] {
  const outcome = outcomes.find((one) => one.id === id);
  return [outcome?.label ?? id, outcome?.kind ?? '', outcome?.horizon ?? '', description];
}
