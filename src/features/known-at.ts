import type { Resource } from '@medplum/fhirtypes';
import type { ExtractionContext } from './feature-extractor.ts';
import { isVagueAt } from './vague-time.ts';

/**
 * Whether something was known at as-of: by the date on which it was recorded, else by the time of its version. `unknown`
 * where neither says so, and where a version that was written only later may have had an earlier one.
 */
export function knownAt(
  { asOf, rangeOf }: Pick<ExtractionContext, 'asOf' | 'rangeOf'>,
  resource: Resource,
  recorded: string | undefined,
): boolean | 'unknown' {
  const written = rangeOf(resource.meta?.lastUpdated);
  if (written !== undefined && written.start <= asOf) return true;
  const range = rangeOf(recorded);
  if (range === undefined || isVagueAt(asOf, range)) return 'unknown';
  return range.start <= asOf;
}
