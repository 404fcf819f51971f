import type { CdsSuggestion, CdsSuggestions } from '../cds-card-schema.ts';

/** A choice and its place among all that the service declares. */
export interface PlacedChoice {
  readonly choice: CdsSuggestion;
  readonly index: number;
}

/** The choices that are suggested at a score. @param band code of its band or class, where the outcome has any */
export function choicesAt(
  suggestions: CdsSuggestions | undefined,
  { score, band }: { readonly score: number; readonly band: string | undefined },
): PlacedChoice[] {
  return (suggestions?.choices ?? []).flatMap((choice, index) => {
    const { bands, from } = choice;
    const applies =
      bands === undefined ? from !== undefined && from <= score : band !== undefined && bands.includes(band);
    return applies ? [{ choice, index }] : [];
  });
}
