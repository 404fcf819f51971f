import type { Migration } from '../migrate.ts';

/** A card about a study of a patient is accounted for also where it gives no number, and no result is behind it. */
export const cardsWithoutResults: Migration = {
  id: '0023-cards-without-results',
  sql: `
alter table prediction_log drop constraint prediction_log_check1;
alter table prediction_log add constraint prediction_log_result_check check (
  case state when 'failed' then result is null when 'scored' then result is not null
    else result is not null or entrance = 'cds-hooks' and card is not null end
);
comment on column prediction_log.result is 'Identifier of the result; also the key in outcomes. Null of what failed, and of a card that says of a study that it has no result.';
`,
};
