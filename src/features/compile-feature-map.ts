import type {
  AnswerDefinition,
  CategoryDefinition,
  FeatureDefinition,
  FeatureMap,
  ObservationDefinition,
} from '../model-catalog/feature-map-schema.ts';
import { decidingOf } from '../model-catalog/feature-reads.ts';
import { type FeatureType, featureType } from '../model-catalog/feature-type.ts';
import type { Lookup, Lookups } from '../model-catalog/read-lookups.ts';
import { unitOf } from '../model-catalog/value-kind.ts';
import { compileAddress } from './address.ts';
import { compileAllergy } from './allergy.ts';
import { withAnchor } from './anchor.ts';
import { answerReading, compileAnswer } from './answer.ts';
import { compileAppointment } from './appointment.ts';
import { categoryReading, compileCategory } from './category.ts';
import { compileCondition } from './condition.ts';
import { compileDemographics } from './demographics.ts';
import { compileDerived } from './derived.ts';
import { compileEncounter } from './encounter.ts';
import { compileFamilyHistory } from './family-history.ts';
import type { FeatureExtractor } from './feature-extractor.ts';
import { compileFirstOf } from './first-of.ts';
import { compileImage } from './image.ts';
import { compileInput } from './input.ts';
import { compileMedication } from './medication.ts';
import { withMissingPolicy } from './missing-policy.ts';
import { compileModelOutput } from './model-output.ts';
import { compileObservation, observationReading } from './observation.ts';
import { createObservationIndex, type ObservationIndex } from './observation-index.ts';
import { compilePanel, type PanelMember } from './panel.ts';
import { compilePopulation, type Judge } from './population.ts';
import { compileProcedure } from './procedure.ts';
import { compileQuestionnaire } from './questionnaire.ts';
import { compileSequence } from './sequence.ts';
import { compileServiceRequest } from './service-request.ts';
import { compileSummary } from './summary.ts';
import { compileText } from './text.ts';
import { createWindows, type Windows } from './windows.ts';

export interface CompiledFeature {
  readonly name: string;
  readonly label: string;
  /** UCUM; absent for yes-or-no and coded features. */
  readonly unit?: string;
  readonly definition: FeatureDefinition;
  readonly value: FeatureType;
  /** Names of the features it is derived from. */
  readonly reads: readonly string[];
  readonly extract: FeatureExtractor;
}

/** A feature map ready to run: compiled once at load, used for every subject. */
export interface CompiledFeatureMap {
  readonly map: FeatureMap;
  /** In the order of the map, for display. */
  readonly features: ReadonlyMap<string, CompiledFeature>;
  /** Every feature after those it is derived from. */
  readonly order: readonly CompiledFeature[];
  /** True where that is the order of the map too. */
  readonly isInOrder: boolean;
  /** When windows begin. */
  readonly windows: Windows;
  /** Sorts Observations by the codes that features look for. */
  readonly observationIndex: ObservationIndex;
  readonly judge: Judge;
  /** Names of the features that are told to nobody. */
  readonly sensitive: ReadonlySet<string>;
  /** How a reader is told of each feature, by its name. */
  readonly labels: Readonly<Record<string, { readonly label: string; readonly unit?: string }>>;
}

/**
 * @param lookups the tables that features look something up in
 * @throws RangeError or SyntaxError for a unit or an expression that the schema cannot judge, or for a table that is not there; the catalog reports it with the file.
 */
export function compileFeatureMap(map: FeatureMap, lookups: Lookups = new Map()): CompiledFeatureMap {
  const features = new Map<string, CompiledFeature>();
  const reads = new Map<string, readonly string[]>();
  const observationIndex = createObservationIndex();
  const inPanels = compilePanels(map, observationIndex);
  for (const [name, definition] of Object.entries(map.features)) {
    const extract = inPanels.get(name);
    const compiled =
      extract === undefined ? compileKind(name, definition, observationIndex, lookups.get(name)) : { extract };
    const anchored = definition.kind === 'observation' ? withAnchor(definition, compiled.extract) : compiled.extract;
    const unit = unitOf(definition);
    reads.set(name, [...(compiled.reads ?? []), ...decidingOf(definition)]);
    features.set(name, {
      name,
      label: definition.label,
      ...(unit === undefined ? {} : { unit }),
      definition,
      value: featureType(definition),
      reads: compiled.reads ?? [],
      extract: withMissingPolicy(definition, anchored),
    });
  }
  const judge = compilePopulation(map.population);
  const labels = Object.fromEntries(
    [...features].map(([name, { label, unit }]) => [name, unit === undefined ? { label } : { label, unit }]),
  );
  const sensitive = new Set(
    Object.entries(map.features).flatMap(([name, definition]) => (definition.sensitive === undefined ? [] : [name])),
  );
  const order = inOrder(features, reads);
  const names = [...features.keys()];
  const isInOrder = order.every(({ name }, index) => name === names[index]);
  return { map, features, order, isInOrder, windows: createWindows(), observationIndex, judge, sensitive, labels };
}

function compileKind(
  name: string,
  definition: FeatureDefinition,
  index: ObservationIndex,
  lookup: Lookup | undefined,
): { extract: FeatureExtractor; reads?: readonly string[] } {
  switch (definition.kind) {
    case 'demographics':
      return { extract: compileDemographics(definition) };
    case 'address':
      return { extract: compileAddress(definition, lookup) };
    case 'observation':
      return {
        extract:
          definition.pick === 'latest' || definition.pick === 'earliest'
            ? compileObservation(definition, index)
            : compileSummary(definition, index),
      };
    case 'answer':
      return { extract: compileAnswer(definition, index) };
    case 'category':
      return { extract: compileCategory(definition, index) };
    case 'text':
      return { extract: compileText(definition, index) };
    case 'sequence':
      return { extract: compileSequence(definition, index) };
    case 'image':
      return { extract: compileImage(name, definition) };
    case 'condition':
      return { extract: compileCondition(definition) };
    case 'medication':
      return { extract: compileMedication(definition) };
    case 'procedure':
      return { extract: compileProcedure(definition) };
    case 'encounter':
      return { extract: compileEncounter(definition) };
    case 'derived':
      return compileDerived(definition);
    case 'first-of':
      return compileFirstOf(definition);
    case 'model':
      return { extract: compileModelOutput(definition) };
    case 'input':
      return { extract: compileInput(definition) };
    case 'allergy':
      return { extract: compileAllergy(definition) };
    case 'family-history':
      return { extract: compileFamilyHistory(definition) };
    case 'service-request':
      return { extract: compileServiceRequest(definition) };
    case 'appointment':
      return { extract: compileAppointment(definition) };
    case 'questionnaire':
      return { extract: compileQuestionnaire(definition) };
  }
}

/** What a panel needs to know of a feature that stands in it. */
function compileMember(
  definition: ObservationDefinition | AnswerDefinition | CategoryDefinition,
  index: ObservationIndex,
): Pick<PanelMember, 'find' | 'agree'> {
  switch (definition.kind) {
    case 'observation':
      return observationReading(definition, index);
    case 'answer':
      return answerReading(definition, index);
    case 'category':
      return categoryReading(definition, index);
  }
}

/** The extractors of the features that stand in a panel, by feature name. */
function compilePanels(map: FeatureMap, index: ObservationIndex): Map<string, FeatureExtractor> {
  const extractors = new Map<string, FeatureExtractor>();
  for (const [panelName, panel] of Object.entries(map.panels ?? {})) {
    const members = new Map<string, PanelMember>();
    for (const [name, definition] of Object.entries(map.features)) {
      if (!('together' in definition) || definition.together !== panelName) continue;
      const { find, agree } = compileMember(definition, index);
      members.set(name, { label: definition.label, pick: definition.pick, find, agree });
    }
    for (const [name, extract] of compilePanel(panel, members)) extractors.set(name, extract);
  }
  return extractors;
}

function inOrder(
  features: ReadonlyMap<string, CompiledFeature>,
  reads: ReadonlyMap<string, readonly string[]>,
): CompiledFeature[] {
  const done = new Map<string, CompiledFeature>();
  const visit = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return;
    if (path.includes(name))
      throw new SyntaxError(`feature ${name} is derived from itself: ${[...path, name].join(' -> ')}`);
    const feature = features.get(name);
    if (feature === undefined)
      throw new SyntaxError(`feature ${path.at(-1)} is derived from ${name}, which the map does not define`);
    for (const input of reads.get(name) ?? []) visit(input, [...path, name]);
    done.set(name, feature);
  };
  for (const name of features.keys()) visit(name, []);
  return [...done.values()];
}
