import type { Sql } from '../platform/database.ts';

/** A card that is about to be shown, and what makes another one the same. */
export interface CardToShow {
  readonly service: string;
  /** A service of one id may be called at several hooks, and be about another outcome at each. */
  readonly hook: string;
  readonly outcome: string;
  /** `Practitioner/17` */
  readonly user: string;
  /** FHIR base and logical id of the patient. */
  readonly subject: { readonly base: string; readonly id: string };
  readonly encounter?: string | undefined;
  /** What the call is about beside the patient: `Appointment/3`. */
  readonly focus?: string | undefined;
  readonly model: { readonly id: string; readonly version: string; readonly digest: string };
  /** How it is shown, and the code of the band or class of the score; or why there is no score. */
  readonly said: string;
  readonly card: string;
  /**
   * For how long the same is not shown again. Absent: it is shown, or there is nothing to show; what was said is
   * remembered all the same, so that a band that comes back is another one.
   */
  readonly heldForMs?: number | undefined;
}

/** Clocks of two replicas differ by no more. */
const clockDifferenceMs = 60_000;

/**
 * Whether a card is held back, because the same version said the same to the same user at the same hook about the same
 * patient, encounter and outcome within the time. Decided and kept by one statement: of two replicas asked at once, one shows the card.
 */
export async function holdBack(
  sql: Sql,
  { tenant, at }: { readonly tenant: string; readonly at: Date },
  shown: CardToShow,
): Promise<boolean> {
  const { service, hook, outcome, user, subject, encounter = '', focus = '', model, said, card, heldForMs } = shown;
  const since = heldForMs === undefined ? null : new Date(at.getTime() - heldForMs);
  const { rows } = await sql.query<{ held: boolean }>(
    `with told as (
       insert into told_bands (tenant, service, user_ref, fhir_base, subject_id, encounter_id, focus, model_digest, band,
         card, told_at, hook, outcome)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $16, $17)
       on conflict (tenant, service, hook, outcome, fhir_base, subject_id, user_ref, encounter_id, focus) do update set
         model_digest = excluded.model_digest, band = excluded.band, card = excluded.card, told_at = excluded.told_at
       where $12::timestamptz is null or told_bands.model_digest <> excluded.model_digest
         or told_bands.band <> excluded.band or told_bands.told_at <= $12::timestamptz
         or told_bands.told_at > $13::timestamptz
       returning card
     ), held as (
       insert into held_cards (tenant, service, card, model_id, model_version, held_at)
       select $1, $2, $10, $14, $15, $11 where not exists (select from told)
       returning card
     )
     select exists (select from held) as held`,
    [
      tenant,
      service,
      user,
      subject.base,
      subject.id,
      encounter,
      focus,
      model.digest,
      said,
      card,
      at,
      since,
      new Date(at.getTime() + clockDifferenceMs),
      model.id,
      model.version,
      hook,
      outcome,
    ],
  );
  return rows[0]?.held === true;
}
