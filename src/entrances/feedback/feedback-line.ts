import { csvCell, csvTextCell } from '../../http/csv-cell.ts';
import { suggestedChoice } from '../../model-catalog/cds-cards/suggestion-uuid.ts';
import type { JoinedFeedback } from '../../monitoring/cds-feedback.ts';
import type { KeptReview } from '../../monitoring/report-reviews.ts';

/** The label of a choice of a service, where the very version is loaded that suggested it. */
export type LabelOfChoice = (of: {
  readonly service: string;
  readonly digest: string | undefined;
  readonly choice: number;
}) => string | undefined;

/** The columns of DSI-42 first, then what a program joins by. */
const columns = [
  'intervention',
  'action_taken',
  'user_feedback',
  'user',
  'date',
  'location',
  'encounter',
  'service',
  'model',
  'version',
  'digest',
  'result',
  'card',
  'outcome',
  'reason_system',
  'reason_code',
  'received',
] as const;

export type FeedbackLine = Readonly<Partial<Record<(typeof columns)[number] | 'comment', string>>>;

/**
 * One answer in words that stand alone. The location is the FHIR base of the patient's server; it is absent, as user and
 * encounter are, where the prediction log does not know the card or the call did not say.
 * @param comments whether what the clinician wrote stands in it
 */
export function feedbackLine(feedback: JoinedFeedback, labelOf: LabelOfChoice, comments: boolean): FeedbackLine {
  const { service, card, outcome, reason, prediction } = feedback;
  const { base, user, encounter, model, version, digest, result } = prediction ?? {};
  const taken = feedback.acceptedSuggestions.map((uuid) => {
    const choice = suggestedChoice(card, uuid);
    if (choice === undefined) return `unknown suggestion ${uuid}`;
    return labelOf({ service, digest, choice }) ?? `suggestion ${choice + 1}`;
  });
  const line: Record<string, string | undefined> = {
    intervention: model === undefined ? service : `${model} ${version} (service ${service})`,
    action_taken: taken.length === 0 ? outcome : `${outcome}: ${taken.join('; ')}`,
    user_feedback: reason?.display ?? reason?.code,
    user,
    date: feedback.outcomeAt.toISOString(),
    location: base?.startsWith('http') === true ? base : undefined,
    encounter: encounter === undefined ? undefined : `Encounter/${encounter}`,
    service,
    model,
    version,
    digest,
    result,
    card,
    outcome,
    reason_system: reason?.system,
    reason_code: reason?.code,
    received: feedback.receivedAt.toISOString(),
    ...(comments ? { comment: commentOf(feedback) } : {}),
  };
  return known(line);
}

/** What a person found of a report, in the same columns: there is neither a service nor a card. */
export function reviewLine(review: KeptReview, comments: boolean): FeedbackLine {
  const { verdict, reviewer, reviewedAt, result, base, model } = review;
  return known({
    intervention: `${model.id} ${model.version} (report)`,
    action_taken: verdict,
    user: reviewer,
    date: reviewedAt.toISOString(),
    location: base.startsWith('http') ? base : undefined,
    model: model.id,
    version: model.version,
    digest: model.digest,
    result,
    outcome: verdict,
    received: reviewedAt.toISOString(),
    ...(comments ? { comment: commentOf(review) } : {}),
  });
}

function known(line: Readonly<Record<string, string | undefined>>): FeedbackLine {
  return Object.fromEntries(Object.entries(line).filter(([, value]) => value !== undefined));
}

function commentOf({ comment, commentSealedWith: key }: Pick<KeptReview, 'comment' | 'commentSealedWith'>) {
  return key === undefined ? comment : `(sealed with the key ${key}, which is not set here)`;
}

export function feedbackCsvHead(comments: boolean): string {
  return `${namesOf(comments).join(',')}\r\n`;
}

/** A line of CSV (RFC 4180); what a clinician or a client wrote never runs in a spreadsheet. */
export function feedbackCsvLine(line: FeedbackLine, comments: boolean): string {
  const cells = namesOf(comments).map((name) => (name === 'comment' ? csvTextCell(line[name]) : csvCell(line[name])));
  return `${cells.join(',')}\r\n`;
}

function namesOf(comments: boolean): readonly (keyof FeedbackLine)[] {
  return comments ? [...columns, 'comment'] : columns;
}
