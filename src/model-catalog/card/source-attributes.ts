import type { ModelVersion } from '../model-version.ts';
import type { Outcome } from '../outcome-schema.ts';
import { isAvailable, type NotAvailable } from './card-terms.ts';
import { measureSentence } from './card-words.ts';
import type { Measure, MeasureSetting } from './measure-schema.ts';

/** What a rendering is made from. */
export type CardOf = Pick<ModelVersion, 'manifest' | 'card' | 'digest' | 'featureMap'>;

/** One of the 31 source attributes of a predictive decision support intervention, 45 CFR 170.315(b)(11)(iv)(B). */
export interface SourceAttribute {
  /** `DSI-1` to `DSI-31` */
  readonly key: string;
  readonly group: string;
  readonly name: string;
  /** Undefined where it is not available. */
  readonly value?: string;
  /** Why it is not available, where the card says so. */
  readonly because?: string;
}

type Stated = string | NotAvailable | undefined;
interface Definition {
  readonly name: string;
  /** The keys of the card and the manifest that it is made from, for the documentation. */
  readonly from: string;
  readonly value: (of: CardOf) => Stated;
}

/** The rule that asks for the attributes. */
export const sourceAttributesRule = '45 CFR 170.315(b)(11)(iv)(B)';

/** The 31 attributes in their nine groups, in the order of the rule (DSI-1 to DSI-31). */
export const sourceAttributeGroups: Readonly<Record<string, readonly Definition[]>> = {
  'Details and output': [
    {
      name: 'Name and contact information for the intervention developer',
      from: 'developer',
      value: ({ card: { developer } }) => {
        const contact = isAvailable(developer.contact) ? developer.contact : 'not available';
        return `${developer.equation}. This folder: ${developer.implementation}. Contact: ${contact}`;
      },
    },
    {
      name: 'Funding source of the technical implementation for the intervention(s) development',
      from: 'funding',
      value: ({ card }) => card.funding,
    },
    {
      name: 'Description of value that the intervention produces as an output',
      from: 'outputs',
      value: ({ card, manifest }) =>
        lines(card.outputs.map(({ outcome, description }) => `${labelOf(manifest.outcomes, outcome)}: ${description}`)),
    },
    {
      name: 'Whether the intervention output is a prediction, classification, recommendation, evaluation, analysis, or other type of output',
      from: 'outcomes of the manifest',
      value: ({ manifest }) => lines(manifest.outcomes.map(({ label, kind }) => `${label}: ${outputTypes[kind]}`)),
    },
  ],
  Purpose: [
    { name: 'Intended use', from: 'intendedUse.purpose', value: ({ card }) => card.intendedUse.purpose },
    {
      name: 'Intended patient population(s)',
      from: 'intendedUse.population',
      value: ({ card }) => card.intendedUse.population,
    },
    { name: 'Intended user(s)', from: 'intendedUse.users', value: ({ card }) => card.intendedUse.users },
    {
      name: 'Intended decision-making role (e.g., informs, augments, replaces clinical management)',
      from: 'intendedUse.role',
      value: ({
        card: {
          intendedUse: { role },
        },
      }) => role && `${role.level} clinical management: ${role.statement}`,
    },
  ],
  'Cautioned out-of-scope use': [
    {
      name: 'Description of tasks, situations, or populations where a user is cautioned against applying the intervention',
      from: 'intendedUse.outOfScope',
      value: ({ card }) => lines(card.intendedUse.outOfScope),
    },
    {
      name: 'Known risks, inappropriate settings, inappropriate uses, or known limitations',
      from: 'cautions of the manifest, limitations',
      value: ({ card, manifest }) => lines([...manifest.cautions, ...card.limitations]),
    },
  ],
  'Development details and input features': [
    {
      name: 'Exclusion and inclusion criteria that influenced the training data set',
      from: 'trainingData.criteria',
      value: ({ card }) => card.trainingData?.criteria,
    },
    {
      name: 'Use of variables in (iv)(A)(5)–(13) as input features (race, ethnicity, language, sexual orientation, gender identity, sex, date of birth, SDOH, health status assessments)',
      from: 'fairness.sensitiveInputs, inputs',
      value: ({ card: { fairness, inputs } }) => {
        const used = fairness.sensitiveInputs;
        if (used.length === 0) return 'None of them is an input.';
        const described = inputs.filter(({ feature }) => used.includes(feature));
        return lines(described.map(({ feature, description }) => `${feature}: ${description}`));
      },
    },
    {
      name: 'Description of demographic representativeness per those variables, at minimum those used as inputs',
      from: 'trainingData.demographics',
      value: ({ card }) => card.trainingData?.demographics,
    },
    {
      name: 'Description of relevance of training data to intended deployed setting',
      from: 'trainingData.relevance',
      value: ({ card }) => card.trainingData?.relevance,
    },
  ],
  'Process to ensure fairness in development': [
    {
      name: 'Approach taken to ensure the output is fair',
      from: 'fairness.approach; else why it is not available, with fairness.statement',
      value: ({ card: { fairness } }) =>
        fairness.approach ?? { notAvailable: `No approach is stated. What is known: ${fairness.statement}` },
    },
    {
      name: 'Approaches to manage, reduce, or eliminate bias',
      from: 'fairness.biasManagement',
      value: ({ card }) => card.fairness.biasManagement,
    },
  ],
  'External validation process': [
    {
      name: 'Data source, clinical setting, or environment where validity and fairness were assessed, other than the source of training and testing data',
      from: 'externalValidation.source',
      value: ({ card }) => card.externalValidation?.source,
    },
    {
      name: 'Party that conducted the external testing',
      from: 'externalValidation.party',
      value: ({ card }) => card.externalValidation?.party,
    },
    {
      name: 'Demographic representativeness of external data',
      from: 'externalValidation.demographics',
      value: ({ card }) => card.externalValidation?.demographics,
    },
    {
      name: 'Description of external validation process',
      from: 'externalValidation.process',
      value: ({ card }) => card.externalValidation?.process,
    },
  ],
  'Quantitative measures of performance': [
    {
      name: 'Validity in test data from same source as training data',
      from: 'performance of setting cross-validation or internal-test, or of none',
      value: (of) => measured(of, ['cross-validation', 'internal-test', undefined]),
    },
    {
      name: 'Fairness in same-source test data',
      from: 'the same, those of a group',
      value: (of) => measured(of, ['cross-validation', 'internal-test', undefined], 'by group'),
    },
    {
      name: 'Validity in external data',
      from: 'performance of setting external',
      value: (of) => measured(of, ['external']),
    },
    {
      name: 'Fairness in external data',
      from: 'the same, those of a group',
      value: (of) => measured(of, ['external'], 'by group'),
    },
    {
      name: 'References to evaluation of use of the intervention on outcomes',
      from: 'effectOnOutcomes',
      value: ({ card }) => card.effectOnOutcomes,
    },
  ],
  'Ongoing maintenance of implementation and use': [
    {
      name: 'Process and frequency by which validity is monitored over time',
      from: 'maintenance.validityMonitoring',
      value: ({ card }) => card.maintenance?.validityMonitoring,
    },
    {
      name: 'Validity in local data',
      from: 'performance of setting local; else maintenance.localValidity',
      value: (of) => measured(of, ['local']) ?? of.card.maintenance?.localValidity,
    },
    {
      name: 'Process and frequency by which fairness is monitored',
      from: 'maintenance.fairnessMonitoring',
      value: ({ card }) => card.maintenance?.fairnessMonitoring,
    },
    {
      name: 'Fairness in local data',
      from: 'performance of setting local, those of a group; else maintenance.localFairness',
      value: (of) => measured(of, ['local'], 'by group') ?? of.card.maintenance?.localFairness,
    },
  ],
  'Update and continued validation/fairness schedule': [
    {
      name: 'Process and frequency by which the intervention is updated',
      from: 'maintenance.updates',
      value: ({ card }) => card.maintenance?.updates,
    },
    {
      name: 'Frequency by which performance is corrected when risks related to validity and fairness are identified',
      from: 'maintenance.corrections',
      value: ({ card }) => card.maintenance?.corrections,
    },
  ],
};

/** All 31, each with its value or without one. */
export function sourceAttributes(of: CardOf): SourceAttribute[] {
  return Object.entries(sourceAttributeGroups)
    .flatMap(([group, definitions]) => definitions.map((definition) => ({ group, ...definition })))
    .map(({ group, name, value }, index) => {
      const stated = value(of);
      const attribute = { key: `DSI-${index + 1}`, group, name };
      if (isAvailable(stated)) return { ...attribute, value: stated };
      return { ...attribute, ...(stated === undefined ? {} : { because: stated.notAvailable }) };
    });
}

const outputTypes: Readonly<Record<Outcome['kind'], string>> = {
  probability: 'prediction (probability)',
  survival: 'prediction (probabilities over time)',
  points: 'evaluation (points of a score)',
  measurement: 'analysis (calculated measurement)',
  finding: 'detection (probability that something is there)',
  class: 'classification',
  anomaly: 'analysis (how unusual the inputs are)',
};

function measured(
  { card, manifest }: CardOf,
  settings: readonly (MeasureSetting | undefined)[],
  by?: 'by group',
): Stated {
  const found = card.performance.filter(
    ({ setting, group }: Measure) => settings.includes(setting) && (by === undefined || group !== undefined),
  );
  return found.length === 0 ? undefined : lines(found.map((measure) => measureSentence(measure, manifest)));
}

function labelOf(outcomes: readonly Outcome[], id: string): string {
  return outcomes.find((outcome) => outcome.id === id)?.label ?? id;
}

function lines(items: readonly string[]): string {
  return items.join('\n');
}
