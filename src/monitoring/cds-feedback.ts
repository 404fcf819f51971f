import { suggestedChoice } from '../model-catalog/cds-cards/suggestion-uuid.ts';
import type { Sql } from '../platform/database.ts';
import type { OpenedText } from '../platform/sealed-text.ts';
import type { ValuesCipher } from '../platform/values-cipher.ts';
import { openWords, sealWords } from './sealed-words.ts';

/** What a clinician answered to one card. */
export interface CdsFeedback {
  /** UUID of the card, in lower case. */
  readonly card: string;
  readonly outcome: 'accepted' | 'overridden';
  readonly outcomeAt: Date;
  /** UUIDs in lower case: of suggestions of the card, or whatever else the client reports. */
  readonly acceptedSuggestions: readonly string[];
  readonly reason?: { readonly system: string; readonly code: string; readonly display?: string };
  /** May name the patient: never logged, and kept only sealed. */
  readonly comment?: string;
}

/** An answer and the prediction that its card showed. */
export interface JoinedFeedback extends CdsFeedback {
  readonly service: string;
  readonly receivedAt: Date;
  /** In the place of the comment: it is sealed with the key of this id, which is not at hand. */
  readonly commentSealedWith?: string;
  /** Absent where the prediction log does not know the card. */
  readonly prediction?: FeedbackPrediction;
}

export interface FeedbackPrediction {
  /** FHIR base of the server that the patient is of: where it happened. */
  readonly base?: string;
  /** `Practitioner/17`, as the hook named the user. */
  readonly user?: string;
  readonly encounter?: string;
  readonly model?: string;
  readonly version?: string;
  readonly digest?: string;
  /** Identifier of the result; absent where the prediction failed after its card had said that it is late. */
  readonly result?: string;
}

/** What became of the answers of one call. */
export interface StoredFeedback {
  /** Cards that the prediction log does not know; their answers are kept too. */
  readonly unknownCards: number;
  /** Accepted suggestions that their card, which is known, did not hold; kept too. */
  readonly unknownSuggestions: number;
  /** Comments, and displays of reasons, that were not kept because there is no key. */
  readonly wordsNotKept: number;
  /** Those that were not reported before, with the version whose card they answer. */
  readonly added: readonly (Pick<CdsFeedback, 'outcome' | 'reason'> & {
    readonly model?: { readonly id: string; readonly version: string };
  })[];
}

/** Where answers are kept, and under which key what was written; without one that is not kept. */
export interface FeedbackFrame {
  readonly tenant: string;
  readonly service: string;
  readonly receivedAt: Date;
  readonly cipher: ValuesCipher | undefined;
}

/** Keeps answers, each once: the same one reported again replaces what was kept of it (CDS-53). All of them or none. */
export async function storeFeedback(
  sql: Sql,
  { tenant, service, receivedAt, cipher }: FeedbackFrame,
  feedback: readonly CdsFeedback[],
): Promise<StoredFeedback> {
  // One statement cannot write a row twice; of what one call says twice the last counts.
  const once = [...new Map(feedback.map((item) => [keyOf(item), item])).values()];
  const words = (text: string | undefined, item: CdsFeedback, column: 'user_comment' | 'reason_display') =>
    sealWords(text, { ...item, tenant, service, column }, cipher);
  const { rows: written } = await sql.query<{ card: string; outcome: string; outcome_at: Date; added: boolean }>(
    `insert into cds_feedback (tenant, service, card, outcome, outcome_at, accepted_suggestions, reason_system, reason_code,
       reason_display, user_comment, received_at)
     select $1, $2, card, outcome, outcome_at, accepted_suggestions::json, reason_system, reason_code, reason_display,
       user_comment, $3::timestamptz
     from unnest($4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
       as item (card, outcome, outcome_at, accepted_suggestions, reason_system, reason_code, reason_display, user_comment)
     on conflict (tenant, service, card, outcome, outcome_at) do update set
       accepted_suggestions = excluded.accepted_suggestions, reason_system = excluded.reason_system,
       reason_code = excluded.reason_code, reason_display = excluded.reason_display,
       user_comment = excluded.user_comment, received_at = excluded.received_at
     returning card, outcome, outcome_at, xmax = 0 as added`,
    [
      tenant,
      service,
      receivedAt,
      once.map(({ card }) => card),
      once.map(({ outcome }) => outcome),
      once.map(({ outcomeAt }) => outcomeAt.toISOString()),
      once.map(({ acceptedSuggestions }) => JSON.stringify(acceptedSuggestions)),
      once.map(({ reason }) => reason?.system ?? null),
      once.map(({ reason }) => reason?.code ?? null),
      once.map((item) => words(item.reason?.display, item, 'reason_display')),
      once.map((item) => words(item.comment, item, 'user_comment')),
    ],
  );
  const cards = [...new Set(once.map(({ card }) => card))];
  const { rows } = await sql.query<{ card: string; model_id: string | null; model_version: string | null }>(
    'select card, model_id, model_version from prediction_log where tenant = $1 and service = $2 and card = any($3::text[])',
    [tenant, service, cards],
  );
  const known = new Map(rows.map((row) => [row.card, row]));
  const fresh = new Set(
    written
      .filter(({ added }) => added)
      .map(({ card, outcome, outcome_at: at }) => `${card} ${outcome} ${at.getTime()}`),
  );
  const suggested = once.filter(({ card }) => known.has(card));
  return {
    unknownCards: cards.length - known.size,
    unknownSuggestions: suggested
      .flatMap(({ card, acceptedSuggestions }) => acceptedSuggestions.map((uuid) => suggestedChoice(card, uuid)))
      .filter((choice) => choice === undefined).length,
    wordsNotKept:
      cipher === undefined
        ? once.flatMap(({ comment, reason }) => [comment, reason?.display]).filter((one) => one !== undefined).length
        : 0,
    added: once
      .filter((item) => fresh.has(keyOf(item)))
      .map(({ card, outcome, reason }) => {
        const { model_id: id, model_version: version } = known.get(card) ?? { model_id: null, model_version: null };
        return {
          outcome,
          ...(reason === undefined ? {} : { reason }),
          ...(id === null || version === null ? {} : { model: { id, version } }),
        };
      }),
  };
}

function keyOf({ card, outcome, outcomeAt }: CdsFeedback): string {
  return `${card} ${outcome} ${outcomeAt.getTime()}`;
}

interface Row {
  readonly service: string;
  readonly card: string;
  readonly outcome: 'accepted' | 'overridden';
  readonly outcome_at: Date;
  readonly accepted_suggestions: string;
  readonly reason_system: string | null;
  readonly reason_code: string | null;
  readonly reason_display: string | null;
  readonly user_comment: string | null;
  readonly received_at: Date;
  readonly known: boolean | null;
  readonly fhir_base: string | null;
  readonly user_ref: string | null;
  readonly encounter_id: string | null;
  readonly model_id: string | null;
  readonly model_version: string | null;
  readonly model_digest: string | null;
  readonly result: string | null;
}

/** Where a page ended. */
export type FeedbackKey = Pick<JoinedFeedback, 'outcomeAt' | 'service' | 'card' | 'outcome'>;

/**
 * Answers with the predictions that their cards showed, oldest first.
 * @param period by the time of the answer; `from` is inclusive, `to` exclusive
 * @param page at most so many, behind the last one of the page before; absent: all
 */
export async function readFeedback(
  sql: Sql,
  { tenant, cipher }: Pick<FeedbackFrame, 'tenant' | 'cipher'>,
  period: { readonly from: Date; readonly to: Date },
  page?: { readonly count: number; readonly after?: FeedbackKey | undefined },
): Promise<JoinedFeedback[]> {
  const { count = null, after } = page ?? {};
  const { rows } = await sql.query<Row>(
    `select f.service, f.card, f.outcome, f.outcome_at, f.accepted_suggestions, f.reason_system, f.reason_code,
       f.reason_display, f.user_comment, f.received_at, p.known, p.fhir_base, p.user_ref, p.encounter_id, p.model_id,
       p.model_version, p.model_digest, p.result
     from cds_feedback f
     left join lateral (
       select true as known, * from prediction_log l
       where l.tenant = f.tenant and l.card = f.card and l.service = f.service
       order by l.recorded desc limit 1
     ) p on true
     where f.tenant = $1 and f.outcome_at >= $2 and f.outcome_at < $3
       and ($5::timestamptz is null or (f.outcome_at, f.service, f.card, f.outcome) > ($5, $6, $7, $8))
     order by f.outcome_at, f.service, f.card, f.outcome
     limit $4::int`,
    [
      tenant,
      period.from,
      period.to,
      count,
      after?.outcomeAt ?? null,
      after?.service ?? '',
      after?.card ?? '',
      after?.outcome ?? '',
    ],
  );
  return rows.map((row) => joined(row, tenant, cipher));
}

function joined(row: Row, tenant: string, cipher: ValuesCipher | undefined): JoinedFeedback {
  const { service, card, outcome, outcome_at: outcomeAt, reason_system: system, reason_code: code } = row;
  const opened = (column: 'user_comment' | 'reason_display'): Partial<OpenedText> => {
    const kept = row[column];
    return kept === null ? {} : openWords(kept, { tenant, service, card, outcome, outcomeAt, column }, cipher);
  };
  const [comment, display] = [opened('user_comment'), opened('reason_display').text];
  return {
    service,
    card,
    outcome,
    outcomeAt,
    acceptedSuggestions: JSON.parse(row.accepted_suggestions) as string[],
    ...(system === null || code === null
      ? {}
      : { reason: { system, code, ...(display === undefined ? {} : { display }) } }),
    ...(comment.text === undefined ? {} : { comment: comment.text }),
    ...(comment.sealedWith === undefined ? {} : { commentSealedWith: comment.sealedWith }),
    receivedAt: row.received_at,
    ...(row.known === true ? { prediction: predictionOf(row) } : {}),
  };
}

function predictionOf(row: Row): FeedbackPrediction {
  return {
    ...(row.fhir_base === null ? {} : { base: row.fhir_base }),
    ...(row.user_ref === null ? {} : { user: row.user_ref }),
    ...(row.encounter_id === null ? {} : { encounter: row.encounter_id }),
    ...(row.model_id === null ? {} : { model: row.model_id }),
    ...(row.model_version === null ? {} : { version: row.model_version }),
    ...(row.model_digest === null ? {} : { digest: row.model_digest }),
    ...(row.result === null ? {} : { result: row.result }),
  };
}
