import type { QuestionnaireResponse, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import type { InstantRange } from '../fhir/instant-range.ts';
import { isPlainNumber } from '../fhir/plain-number.ts';
import type { QuestionnaireDefinition } from '../model-catalog/feature-map-schema.ts';
import { durationWords } from './duration-words.ts';
import { type ExtractionContext, type FeatureExtractor, missing, unsayable } from './feature-extractor.ts';
import { mayBeNewest, newest } from './newest.ts';
import { compareTexts, firstReason, mostExact, type Unread } from './pick-by-content.ts';
import { answersOf } from './questionnaire-answers.ts';
import { compileAnswerReader, type ReadAnswer } from './read-answer.ts';
import { isWithin, sameNumber } from './same-number.ts';
import { isVagueAt } from './vague-time.ts';

interface DatedResponse {
  readonly response: QuestionnaireResponse;
  readonly time: InstantRange;
  readonly at: string;
}

interface Responses {
  readonly dated: readonly DatedResponse[];
  /** That may be as new as the newest, or lie in the window: it cannot be told. */
  readonly untimed: readonly QuestionnaireResponse[];
  readonly atEdge: readonly DatedResponse[];
}

/**
 * The answer to one question in the newest response to a questionnaire. Where that leaves it open, no older one is asked:
 * what was true then may be over. Whether an item was to be answered (`enableWhen`) is not looked at.
 * @throws RangeError where the unit is no UCUM code
 */
export function compileQuestionnaire(definition: QuestionnaireDefinition): FeatureExtractor {
  const { label, linkId, plausible, unit } = definition;
  const read = compileAnswerReader(definition);
  const responsesIn = compileResponses(definition);
  const notFound = missing('not-found', `no ${label} within ${durationWords(definition.window)} before as-of`);
  return (context) => {
    const { dated, untimed, atEdge } = responsesIn(context);
    const contenders = newest(dated);
    const rivals = [...untimed, ...mayBeNewest(contenders, atEdge).map(({ response }) => response)];
    if (rivals.length > 0) {
      const detail = `${label}: a response without a usable time, or of an unknown version, may be the newest`;
      return missing('time-unknown', detail, rivals.map(context.record.sourceReference));
    }
    if (contenders.length === 0) return notFound;
    const sources = contenders.map(({ response }) => context.record.sourceReference(response));
    const readings: (ReadAnswer | Unread)[] = [];
    let silent = 0;
    for (const { response } of contenders) {
      const answers = answersOf(response, linkId);
      if (answers === 'unknown-modifier')
        readings.push({ because: 'undecodable', detail: 'it carries a modifier that is not known here' });
      else if (answers.length === 0) silent += 1;
      else readings.push(...answers.map((answer: QuestionnaireResponseItemAnswer) => read(answer)));
    }
    const reason = firstReason(readings.filter((reading) => 'because' in reading));
    if (reason !== undefined) return missing(reason.because, `the newest ${label}: ${reason.detail}`, sources);
    const [first, ...others] = readings.filter((reading) => 'value' in reading).sort(byExactness);
    if (first === undefined) return missing('not-found', `the newest response does not answer ${label}`, sources);
    if (silent > 0) {
      const detail = `one of the newest responses does not answer ${label}, and another does`;
      return missing('conflict', detail, sources);
    }
    const given = mostExact(contenders)?.at;
    const at = given === undefined ? {} : { at: given };
    if (others.some(({ value }) => !isSame(value, first.value))) {
      const detail = `two different answers to ${label} at the newest time`;
      return { state: 'missing', because: 'conflict', detail, ...at, sources };
    }
    const { value, original } = first;
    if (typeof value === 'number') {
      if (plausible !== undefined && !isWithin(value, ...plausible)) {
        const detail = `the newest ${label} lies outside ${plausible[0]} to ${plausible[1]} ${unit}`;
        return missing('implausible', detail, sources);
      }
      if (!isPlainNumber(value)) return unsayable(label, sources);
    }
    return { state: 'observed', value, ...at, sources, ...(original && { original }) };
  };
}

function isSame(one: ReadAnswer['value'], other: ReadAnswer['value']): boolean {
  return typeof one === 'number' && typeof other === 'number' ? sameNumber(one, other) : one === other;
}

/** What needed no conversion goes first. */
function byExactness({ original: one }: ReadAnswer, { original: other }: ReadAnswer): number {
  return compareTexts(one?.unit ?? '', other?.unit ?? '');
}

const secondMs = 1_000;

/** The responses to the questionnaire that were given by as-of, and in the window. */
function compileResponses(definition: QuestionnaireDefinition): (context: ExtractionContext) => Responses {
  const statuses: readonly string[] = definition.status ?? ['completed', 'amended'];
  const isAsked = compileCanonicals(definition.questionnaire);
  return (context) => {
    const { asOf } = context;
    const earliest = context.since(definition.window);
    const dated: DatedResponse[] = [];
    const untimed: QuestionnaireResponse[] = [];
    const atEdge: DatedResponse[] = [];
    for (const response of context.record.byType('QuestionnaireResponse')) {
      const asked = isAsked(response.questionnaire);
      if (asked === false || !statuses.includes(response.status)) continue;
      const at = response.authored;
      const time = context.rangeOf(at);
      if (time !== undefined && (time.start > asOf || time.end <= earliest)) continue;
      if (at === undefined || time === undefined) {
        // What was written before the window was answered before it.
        const written = context.rangeOf(response.meta?.lastUpdated);
        if (written === undefined || written.end > earliest) untimed.push(response);
      } else if (asked === 'perhaps' || isVagueAt(asOf, time)) untimed.push(response);
      else if (time.start >= earliest) dated.push({ response, time, at });
      else if (time.end - time.start > secondMs) atEdge.push({ response, time, at });
    }
    const newestStart = Math.max(...dated.map(({ time }) => time.start));
    const mayBeNewer = (response: QuestionnaireResponse): boolean => {
      const time = context.rangeOf(response.authored) ?? context.rangeOf(response.meta?.lastUpdated);
      return time === undefined || time.end > newestStart;
    };
    return { dated, untimed: untimed.filter(mayBeNewer), atEdge };
  };
}

/** Without a version a canonical means every version; `perhaps` where a response does not say which one it answers. */
function compileCanonicals(canonicals: readonly string[]): (canonical: string | undefined) => boolean | 'perhaps' {
  const whole = new Set(canonicals);
  const versioned = new Set(canonicals.filter((one) => one.includes('|')).map((one) => one.slice(0, one.indexOf('|'))));
  return (canonical) => {
    if (canonical === undefined) return false;
    const bar = canonical.indexOf('|');
    const url = bar < 0 ? canonical : canonical.slice(0, bar);
    if (whole.has(canonical) || whole.has(url)) return true;
    return bar < 0 && versioned.has(url) ? 'perhaps' : false;
  };
}
