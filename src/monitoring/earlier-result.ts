import type { Sql } from '../platform/database.ts';

/** Which earlier result may be shown in the place of one that is late: every part must be the same. */
export interface EarlierQuestion {
  readonly tenant: string;
  /** Who asks: an earlier result was read with the rights of this client and this user, and of nobody else. */
  readonly callerKey: string;
  readonly user: string | undefined;
  readonly service: string;
  readonly fhirBase: string;
  readonly subject: string;
  readonly encounter: string | undefined;
  readonly focus: string | undefined;
  readonly model: string;
  readonly digest: string;
  /** What was as of an earlier instant is too old. */
  readonly since: Date;
  readonly now: Date;
}

/** A result of an earlier call, as the prediction log keeps it. */
export interface EarlierResult {
  /** Identifier of the result. */
  readonly result: string;
  readonly asOf: Date;
  /** UUID of the card that showed it, or said that it was being computed. */
  readonly card: string;
  /** By outcome id, unrounded. */
  readonly scores: Readonly<Record<string, number>>;
  /** See `inputHash`. */
  readonly inputHash: string;
  /** As in `prediction_log`: why an input was missing or imputed, by feature name; features that were assumed absent. */
  readonly missing: Readonly<Record<string, string>>;
  readonly assumed: readonly string[];
}

/**
 * The last result that a service gave about a subject, or undefined: where it abstained since, where the result is
 * superseded, or where anybody's later prediction of this model about the subject saw other inputs, there is none.
 */
export async function findEarlierResult(sql: Sql, question: EarlierQuestion): Promise<EarlierResult | undefined> {
  const { tenant, callerKey, user, service, fhirBase, subject, encounter, focus, model, digest, since, now } = question;
  // Without a user, nobody knows whose rights it was read with.
  if (user === undefined) return undefined;
  const { rows } = await sql.query<{
    result: string;
    as_of: Date;
    card: string;
    state: 'scored' | 'abstained';
    scores: string | null;
    input_hash: string;
    missing: string | null;
    assumed: string | null;
  }>(
    `with said as materialized (
       select * from prediction_log where tenant = $1 and subject_id = $2 and fhir_base = $3 and model_id = $4
         and encounter_id is not distinct from $5 and focus is not distinct from $6
         and recorded >= $7 and as_of between $7 and $8 and state <> 'failed' and not what_if and not shadow
     ), mine as (
       select * from said where entrance = 'cds-hooks' and service = $9 and model_digest = $10 and caller_key = $11
         and user_ref = $12 and card is not null
       order by as_of desc, recorded desc limit 1
     )
     select result, as_of, card, state, scores::text as scores, input_hash, missing::text as missing,
       assumed::text as assumed from mine
     where not exists (select 1 from said where (said.as_of, said.recorded) > (mine.as_of, mine.recorded) and said.input_hash <> mine.input_hash)
       and not exists (select 1 from outcomes o
         where o.tenant = $1 and o.identifier = mine.result and o.superseded_by is not null)`,
    [
      tenant,
      subject,
      fhirBase,
      model,
      encounter ?? null,
      focus ?? null,
      since.toISOString(),
      now.toISOString(),
      service,
      digest,
      callerKey,
      user,
    ],
  );
  const [row] = rows;
  if (
    row === undefined ||
    row.state !== 'scored' ||
    row.scores === null ||
    row.missing === null ||
    row.assumed === null
  )
    return undefined;
  const scores = JSON.parse(row.scores) as Record<string, number>;
  return {
    result: row.result,
    asOf: row.as_of,
    card: row.card,
    scores,
    inputHash: row.input_hash,
    missing: JSON.parse(row.missing) as Record<string, string>,
    assumed: JSON.parse(row.assumed) as string[],
  };
}
