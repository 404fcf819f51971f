import type { CodeableConcept } from '@medplum/fhirtypes';
import { compileTokens, systemsOf } from '../fhir/codes.ts';
import type { CategoryDefinition } from '../model-catalog/feature-map-schema.ts';
import { type AnswerHolder, type AnswerReader, compileAnswerAgreement, compileAnswers } from './answers.ts';
import type { FeatureExtractor } from './feature-extractor.ts';
import type { MeasurementReader } from './measurements.ts';
import type { ObservationIndex } from './observation-index.ts';
import { type Agreement, compilePickOne, onlyNewest } from './pick-one.ts';

/** The newest coded answer as one of the declared levels. */
export function compileCategory(definition: CategoryDefinition, index: ObservationIndex): FeatureExtractor {
  const { find, agree } = categoryReading(definition, index, onlyNewest(definition));
  return compilePickOne(definition, find, agree);
}

/** What there is of a category, and which level it says. */
export function categoryReading(
  definition: CategoryDefinition,
  index: ObservationIndex,
  which?: 'newest',
): { readonly find: MeasurementReader<AnswerHolder>; readonly agree: Agreement<AnswerHolder> } {
  return {
    find: compileAnswers(definition, index, which),
    agree: compileAnswerAgreement(definition.label, compileLevel(definition)),
  };
}

/**
 * A code that no level lists stands for another level only if its system is one that the levels use: a code of another
 * system may mean what one of them means.
 */
function compileLevel({ levels, unseen }: CategoryDefinition): AnswerReader<string> {
  const tests = Object.entries(levels).map(([level, codes]) => ({ level, isListed: compileTokens(codes) }));
  const systems = systemsOf(Object.values(levels).flat());
  const isOfKnownSystem = (concept: CodeableConcept | undefined): boolean =>
    concept?.coding?.some(({ system, code }) => code !== undefined && systems.has(system ?? '')) === true;
  return ({ valueCodeableConcept: concept }) => {
    const [found, ...others] = tests.filter(({ isListed }) => isListed(concept));
    if (others.length > 0) return { because: 'conflict', detail: 'its codes say several levels' };
    if (found !== undefined) return { value: found.level };
    if (!isOfKnownSystem(concept))
      return { because: 'undecodable', detail: 'the answer has no code of a system that the levels use' };
    if (unseen === 'abstain') return { because: 'not-in-vocabulary', detail: 'the answer is of none of the levels' };
    return { value: unseen };
  };
}
