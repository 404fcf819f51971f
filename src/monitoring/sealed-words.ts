import type { Sql } from '../platform/database.ts';
import {
  type KeptText,
  type OpenedText,
  openTextIfHeld,
  sealedTextPattern,
  sealText,
  type TextPlace,
} from '../platform/sealed-text.ts';
import type { ValuesCipher } from '../platform/values-cipher.ts';

/** The row of `cds_feedback` that words are in, and which of them they are. */
export interface WordsPlace {
  readonly tenant: string;
  readonly service: string;
  readonly card: string;
  readonly outcome: string;
  readonly outcomeAt: Date;
  readonly column: 'user_comment' | 'reason_display';
}

/** What is kept of words that a clinician or a client wrote: null without a key, since they may name the patient. */
export function sealWords(
  words: string | undefined,
  place: WordsPlace,
  cipher: ValuesCipher | undefined,
): KeptText | null {
  return words === undefined || cipher === undefined ? null : sealText(words, textPlace(place), cipher);
}

/** Throws INTERNAL where they were changed, or are of another row. */
export function openWords(kept: KeptText, place: WordsPlace, cipher: ValuesCipher | undefined): OpenedText {
  return openTextIfHeld(kept, textPlace(place), cipher);
}

/** Seals what older releases have kept in the clear. @returns how many texts */
export async function sealClearWords(sql: Sql, tenant: string, cipher: ValuesCipher): Promise<number> {
  let sealed = 0;
  for (const column of ['user_comment', 'reason_display'] as const) {
    const { rows } = await sql.query<Omit<WordsPlace, 'outcomeAt' | 'column'> & { outcome_at: Date; words: string }>(
      `select tenant, service, card, outcome, outcome_at, ${column} as words from cds_feedback
       where tenant = $1 and ${column} !~ $2`,
      [tenant, sealedTextPattern],
    );
    for (const { outcome_at: outcomeAt, words, ...row } of rows) {
      await sql.query(
        `update cds_feedback set ${column} = $6
         where tenant = $1 and service = $2 and card = $3 and outcome = $4 and outcome_at = $5 and ${column} = $7`,
        [
          tenant,
          row.service,
          row.card,
          row.outcome,
          outcomeAt,
          sealText(words, textPlace({ ...row, outcomeAt, column }), cipher),
          words,
        ],
      );
    }
    sealed += rows.length;
  }
  return sealed;
}

function textPlace({ tenant, service, card, outcome, outcomeAt, column }: WordsPlace): TextPlace {
  return { table: 'cds_feedback', column, row: [tenant, service, card, outcome, outcomeAt.toISOString()] };
}
