import type { Observation, ObservationComponent } from '@medplum/fhirtypes';
import type { InstantRange } from '../fhir/instant-range.ts';
import { type ExtractionContext, missing } from './feature-extractor.ts';
import type { FeatureValue, SourceReference } from './feature-vector.ts';
import {
  compileMeasurements,
  type Doubt,
  type Measured,
  type Measurement,
  type MeasurementReader,
  unreadable,
} from './measurements.ts';
import type { ObservationIndex } from './observation-index.ts';
import { firstReason, mostExact, type Unread } from './pick-by-content.ts';
import type { Agreement } from './pick-one.ts';
import { hasSeveralValues, isAnswered } from './value-elements.ts';

/** The resource or component whose value is an answer. */
export type AnswerHolder = Observation | ObservationComponent;

/** What an answer says, or why it says nothing. */
export type AnswerReader<Said extends boolean | string> = (holder: AnswerHolder) => { readonly value: Said } | Unread;

/** Finds the answers of a feature; one without a value was not given. */
export function compileAnswers(
  definition: Measured,
  index: ObservationIndex,
  which?: 'newest',
): MeasurementReader<AnswerHolder> {
  const read = (holder: AnswerHolder): AnswerHolder | Doubt | undefined => {
    if (!isAnswered(holder)) return undefined;
    if (holder.dataAbsentReason !== undefined) return 'absent-and-given';
    return hasSeveralValues(holder) ? 'several-values' : holder;
  };
  return compileMeasurements<AnswerHolder>(definition, index, read, which);
}

/** Reads several answers of one time as one, in which all must agree. */
export function compileAnswerAgreement<Said extends boolean | string>(
  label: string,
  read: AnswerReader<Said>,
): Agreement<AnswerHolder> {
  return (context: ExtractionContext, contenders: readonly Measurement<AnswerHolder>[]): FeatureValue => {
    const named = contenders.map(({ observation }) => context.record.sourceReference(observation));
    const sources = named.length < 2 ? named : [...new Set(named)];
    const answers = contenders.flatMap(({ readings }) =>
      readings.map((reading) => (typeof reading === 'string' ? unreadable[reading] : read(reading))),
    );
    return agreed(label, answers, contenders, sources);
  };
}

/** What all of several answers say, with the time that says most; or why there is no such thing. */
export function agreed<Said extends boolean | string>(
  label: string,
  answers: readonly ({ readonly value: Said } | Unread)[],
  contenders: readonly { readonly time: InstantRange; readonly at: string }[],
  sources: readonly SourceReference[],
): FeatureValue {
  let value: Said | undefined;
  let areTwo = false;
  const unread: Unread[] = [];
  for (const answer of answers) {
    if ('because' in answer) unread.push(answer);
    else if (value === undefined) value = answer.value;
    else areTwo ||= answer.value !== value;
  }
  const reason = firstReason(unread);
  if (reason !== undefined) return missing(reason.because, `the newest ${label}: ${reason.detail}`, sources);
  const at = mostExact(contenders)?.at;
  if (value === undefined) return missing('not-found', `no ${label}`, sources);
  if (areTwo) {
    const detail = `two different answers to ${label} at the newest time`;
    return { state: 'missing', because: 'conflict', detail, ...(at === undefined ? {} : { at }), sources };
  }
  return at === undefined ? { state: 'observed', value, sources } : { state: 'observed', value, at, sources };
}
