import { markdownText } from '../../fhir/markdown-text.ts';
import type { PredictionOutcome } from '../../prediction/prediction-outcome.ts';
import { fhirDateTime } from '../../prediction/prediction-words.ts';
import type { HookService } from './hook-service.ts';

/** The last line of a card: who says it, and as of when. @param timeZone IANA zone of the site */
export function signature(
  { version }: HookService,
  outcome: Pick<PredictionOutcome, 'asOf'>,
  timeZone: string,
): string {
  const { id, version: number, title } = version.manifest;
  return `${markdownText(title)} (${id} ${number}), as of ${fhirDateTime(outcome.asOf, timeZone)}.`;
}
