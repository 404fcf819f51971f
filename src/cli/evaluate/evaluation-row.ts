import type { ModelRow } from '../../model-catalog/model-row.ts';

/** What is known of one row before it is scored. */
export type EvaluationRow =
  | { readonly state: 'failed'; readonly code: string }
  | { readonly state: 'abstained'; readonly reasons: readonly string[] }
  | { readonly state: 'without-label' }
  | { readonly state: 'left-out'; readonly reason: string }
  | {
      readonly state: 'labelled';
      readonly x: ModelRow;
      /** 1 and 0 for an event, else a value in the unit or the number of a class. */
      readonly truth: number;
      /** In the order of `groupings`. */
      readonly groups: readonly (string | undefined)[];
    };

/** Rows as they come, and what they are told apart by. */
export interface RowStream {
  readonly rows: AsyncIterable<EvaluationRow>;
  readonly groupings: readonly string[];
}
