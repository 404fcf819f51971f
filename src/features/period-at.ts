import type { Period } from '@medplum/fhirtypes';
import type { ExtractionContext } from './feature-extractor.ts';
import { isVagueAt } from './vague-time.ts';

/** Whether as-of lies in a period, both ends included; `perhaps` where a limit is too vague, or no date. */
export function periodAt(
  { asOf, rangeOf }: Pick<ExtractionContext, 'asOf' | 'rangeOf'>,
  period: Period | undefined,
): 'current' | 'elsewhen' | 'perhaps' {
  const start = rangeOf(period?.start);
  const end = rangeOf(period?.end);
  if (start !== undefined && start.start > asOf) return 'elsewhen';
  if (end !== undefined && end.end <= asOf) return 'elsewhen';
  const isUnread = (text: string | undefined, range: typeof start): boolean =>
    text !== undefined && (range === undefined || isVagueAt(asOf, range));
  return isUnread(period?.start, start) || isUnread(period?.end, end) ? 'perhaps' : 'current';
}
