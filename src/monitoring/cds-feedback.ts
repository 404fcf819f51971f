import type { Sql } from '../platform/database.ts';

/** What a clinician answered to one card. */
export interface CdsFeedback {
  /** UUID of the card, in lower case. */
  readonly card: string;
  readonly outcome: 'accepted' | 'overridden';
  readonly outcomeAt: Date;
  /** UUIDs; our cards have no suggestions, but what a client reports is kept. */
  readonly acceptedSuggestions: readonly string[];
  readonly reason?: { readonly system: string; readonly code: string; readonly display?: string };
  /** May name the patient: never logged. */
  readonly comment?: string;
}

/** An answer and the prediction that its card showed. */
export interface JoinedFeedback extends CdsFeedback {
  readonly service: string;
  readonly receivedAt: Date;
  /** Absent where the prediction log does not know the card. */
  readonly prediction?: FeedbackPrediction;
}

export interface FeedbackPrediction {
  /** `Practitioner/17`, as the hook named the user. */
  readonly user?: string;
  readonly encounter?: string;
  readonly model?: string;
  readonly version?: string;
  readonly digest?: string;
  /** Identifier of the result; absent where the prediction failed after its card had said that it is late. */
  readonly result?: string;
}

/**
 * Keeps answers, each once: the same one reported again replaces what was kept of it (CDS-53). All of them or none.
 * @returns how many of the cards the prediction log does not know; their answers are kept too
 */
export async function storeFeedback(
  sql: Sql,
  { tenant, service, receivedAt }: { readonly tenant: string; readonly service: string; readonly receivedAt: Date },
  feedback: readonly CdsFeedback[],
): Promise<{ readonly unknownCards: number }> {
  // One statement cannot write a row twice; of what one call says twice the last counts.
  const once = [...new Map(feedback.map((item) => [keyOf(item), item])).values()];
  await sql.query(
    `insert into cds_feedback (tenant, service, card, outcome, outcome_at, accepted_suggestions, reason_system, reason_code,
       reason_display, user_comment, received_at)
     select $1, $2, card, outcome, outcome_at, accepted_suggestions::json, reason_system, reason_code, reason_display,
       user_comment, $3::timestamptz
     from unnest($4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
       as item (card, outcome, outcome_at, accepted_suggestions, reason_system, reason_code, reason_display, user_comment)
     on conflict (tenant, service, card, outcome, outcome_at) do update set
       accepted_suggestions = excluded.accepted_suggestions, reason_system = excluded.reason_system,
       reason_code = excluded.reason_code, reason_display = excluded.reason_display,
       user_comment = excluded.user_comment, received_at = excluded.received_at`,
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
      once.map(({ reason }) => reason?.display ?? null),
      once.map(({ comment }) => comment ?? null),
    ],
  );
  const cards = [...new Set(once.map(({ card }) => card))];
  const { rows } = await sql.query<{ known: string }>(
    'select count(distinct card)::text as known from prediction_log where tenant = $1 and service = $2 and card = any($3::text[])',
    [tenant, service, cards],
  );
  return { unknownCards: cards.length - Number(rows[0]?.known) };
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
  readonly known: boolean;
  readonly user_ref: string | null;
  readonly encounter_id: string | null;
  readonly model_id: string | null;
  readonly model_version: string | null;
  readonly model_digest: string | null;
  readonly result: string | null;
}

/**
 * Answers with the predictions that their cards showed, oldest first.
 * @param period by the time of the answer; `from` is inclusive, `to` exclusive
 */
export async function readFeedback(
  sql: Sql,
  tenant: string,
  period: { readonly from: Date; readonly to: Date },
): Promise<JoinedFeedback[]> {
  const { rows } = await sql.query<Row>(
    `select f.service, f.card, f.outcome, f.outcome_at, f.accepted_suggestions, f.reason_system, f.reason_code,
       f.reason_display, f.user_comment, f.received_at, p.id is not null as known, p.user_ref, p.encounter_id, p.model_id,
       p.model_version, p.model_digest, p.result
     from cds_feedback f
     left join prediction_log p on p.tenant = f.tenant and p.card = f.card and p.service = f.service
     where f.tenant = $1 and f.outcome_at >= $2 and f.outcome_at < $3
     order by f.outcome_at, f.service, f.card, f.outcome`,
    [tenant, period.from, period.to],
  );
  return rows.map(joined);
}

function joined(row: Row): JoinedFeedback {
  const { reason_system: system, reason_code: code, reason_display: display } = row;
  return {
    service: row.service,
    card: row.card,
    outcome: row.outcome,
    outcomeAt: row.outcome_at,
    acceptedSuggestions: JSON.parse(row.accepted_suggestions) as string[],
    ...(system === null || code === null ? {} : { reason: { system, code, ...(display === null ? {} : { display }) } }),
    ...(row.user_comment === null ? {} : { comment: row.user_comment }),
    receivedAt: row.received_at,
    ...(row.known ? { prediction: predictionOf(row) } : {}),
  };
}

function predictionOf(row: Row): FeedbackPrediction {
  return {
    ...(row.user_ref === null ? {} : { user: row.user_ref }),
    ...(row.encounter_id === null ? {} : { encounter: row.encounter_id }),
    ...(row.model_id === null ? {} : { model: row.model_id }),
    ...(row.model_version === null ? {} : { version: row.model_version }),
    ...(row.model_digest === null ? {} : { digest: row.model_digest }),
    ...(row.result === null ? {} : { result: row.result }),
  };
}
