import type { TextDefinition } from '../model-catalog/feature-map-schema.ts';
import { type AnswerHolder, type AnswerReader, compileAnswerAgreement, compileAnswers } from './answers.ts';
import { compileConclusion } from './conclusion.ts';
import { type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue } from './feature-vector.ts';
import type { ObservationIndex } from './observation-index.ts';
import { compilePickOne, onlyNewest } from './pick-one.ts';
import { compileTextReader } from './read-text.ts';

/**
 * The newest, or the oldest, text. Whether several say the same is judged before they are cut: what differs beyond the
 * cut is a conflict too. Its value is how many characters the model is given; what they say stands beside it.
 */
export function compileText(definition: TextDefinition, index: ObservationIndex): FeatureExtractor {
  const measure = compileMeasure(definition);
  if (definition.from === 'report') {
    const conclude = compileConclusion(definition);
    return (context) => measure(conclude(context));
  }
  const agree = compileAnswerAgreement<string>(definition.label, compileReader(definition));
  return compilePickOne<AnswerHolder>(
    definition,
    compileAnswers(definition, index, onlyNewest(definition)),
    (context, contenders) => measure(agree(context, contenders)),
  );
}

function compileReader(definition: TextDefinition): AnswerReader<string> {
  const read = compileTextReader(definition);
  return ({ valueString, valueCodeableConcept: concept }) => {
    if (valueString !== undefined) return read(valueString);
    if (concept === undefined || definition.codedAnswers === undefined)
      return { because: 'undecodable', detail: 'the value is no text' };
    if (concept.text === undefined) return { because: 'undecodable', detail: 'the coded answer has no text' };
    return read(concept.text);
  };
}

/** The length of a text that was read takes its place. */
function compileMeasure({ label, maxLength, longer }: TextDefinition): (read: FeatureValue) => FeatureValue {
  return (read) => {
    if (read.state !== 'observed' || typeof read.value !== 'string') return read;
    // Code points, as Python counts and cuts.
    const characters = Array.from(read.value);
    const { length } = characters;
    if (length <= maxLength) return { ...read, value: length, text: { content: read.value } };
    if (longer === undefined)
      return missing('too-long', `${label} has ${length} characters, more than ${maxLength}`, read.sources);
    return {
      ...read,
      value: maxLength,
      text: { content: characters.slice(0, maxLength).join(''), cutFrom: length },
      detail: `cut to the first ${maxLength} of its ${length} characters`,
    };
  };
}
