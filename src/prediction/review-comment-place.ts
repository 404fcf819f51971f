import type { TextPlace } from '../platform/sealed-text.ts';

/** The row of `report_reviews` that the comment of a review is sealed for. */
export function reviewCommentPlace({
  tenant,
  reportId,
  version,
}: {
  readonly tenant: string;
  readonly reportId: string;
  readonly version: number;
}): TextPlace {
  return { table: 'report_reviews', column: 'user_comment', row: [tenant, reportId, String(version)] };
}
