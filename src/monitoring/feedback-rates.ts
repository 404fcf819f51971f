import type { Sql } from '../platform/database.ts';

/** What readers did with the cards of one version at one service. */
export interface FeedbackRates {
  readonly service: string;
  /** Absent for cards that the prediction log does not know. */
  readonly model?: string;
  readonly version?: string;
  /** Cards that were answered; of a card that was answered twice the later answer counts. */
  readonly answered: number;
  readonly accepted: number;
  readonly overridden: number;
  /** Of those answered, 0..1; cards that nobody answered are never reported (CDS-53). Absent where none was. */
  readonly acceptanceRate?: number;
  readonly overrideRate?: number;
  /** Cards that were held back in the same period. */
  readonly heldBack: number;
  /** Why cards were overridden, the most frequent first; no system and code where no reason was given. */
  readonly reasons: readonly OverrideCount[];
}

interface OverrideCount {
  readonly system?: string;
  readonly code?: string;
  readonly overridden: number;
  /** Of those overridden, 0..1. */
  readonly share: number;
}

interface Row {
  readonly service: string;
  readonly model_id: string | null;
  readonly model_version: string | null;
  readonly outcome: 'accepted' | 'overridden' | 'held';
  readonly reason_system: string | null;
  readonly reason_code: string | null;
  readonly cards: string;
}

/** Acceptance and override rates by service, version and reason. @param period by the time of the answer; `to` is exclusive */
export async function readFeedbackRates(
  sql: Sql,
  tenant: string,
  period: { readonly from: Date; readonly to: Date },
): Promise<FeedbackRates[]> {
  const { rows } = await sql.query<Row>(
    `with latest as (
       select distinct on (service, card) service, card, outcome, reason_system, reason_code
       from cds_feedback
       where tenant = $1 and outcome_at >= $2 and outcome_at < $3
       order by service, card, outcome_at desc, received_at desc
     )
     select f.service, p.model_id, p.model_version, f.outcome, f.reason_system, f.reason_code, count(*)::text as cards
     from latest f
     left join lateral (
       select model_id, model_version from prediction_log l
       where l.tenant = $1 and l.card = f.card and l.service = f.service
       order by l.recorded desc limit 1
     ) p on true
     group by 1, 2, 3, 4, 5, 6
     union all
     select service, model_id, model_version, 'held', null, null, count(*)::text
     from held_cards where tenant = $1 and held_at >= $2 and held_at < $3
     group by 1, 2, 3`,
    [tenant, period.from, period.to],
  );
  const groups = Map.groupBy(rows, ({ service, model_id, model_version }) =>
    JSON.stringify([service, model_id, model_version]),
  );
  return [...groups].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, group]) => ratesOf(group));
}

function ratesOf(rows: readonly Row[]): FeedbackRates {
  const [{ service = '', model_id: model = null, model_version: version = null } = {}] = rows;
  const count = (outcome: Row['outcome']): number =>
    rows.filter((row) => row.outcome === outcome).reduce((sum, { cards }) => sum + Number(cards), 0);
  const [accepted, overridden] = [count('accepted'), count('overridden')];
  const answered = accepted + overridden;
  return {
    service,
    ...(model === null ? {} : { model }),
    ...(version === null ? {} : { version }),
    answered,
    accepted,
    overridden,
    ...(answered === 0 ? {} : { acceptanceRate: accepted / answered, overrideRate: overridden / answered }),
    heldBack: count('held'),
    reasons: rows
      .filter(({ outcome }) => outcome === 'overridden')
      .map(({ reason_system: system, reason_code: code, cards }) => ({
        ...(system === null || code === null ? {} : { system, code }),
        overridden: Number(cards),
        share: Number(cards) / overridden,
      }))
      .sort((one, other) => other.overridden - one.overridden || ((one.code ?? '') < (other.code ?? '') ? -1 : 1)),
  };
}
