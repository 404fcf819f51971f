import type { Finding } from '../finding.ts';
import type { Manifest } from '../manifest-schema.ts';

/** An outcome without a code is only text to the systems that receive it. */
export function checkOutcomeCodings({ outcomes }: Manifest): Finding[] {
  return outcomes.flatMap(({ id, coding }, index) => {
    if (coding !== undefined) return [];
    const message = `has no coding: receivers see ${id} as text only; add a code of SNOMED CT or of your own system, where one means exactly this`;
    return [{ file: 'manifest.json', path: `/outcomes/${index}`, message }];
  });
}
