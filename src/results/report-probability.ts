import type { DiagnosticReport } from '@medplum/fhirtypes';
import { extensionUrls } from './canonical-urls.ts';

/** How probable the class is that a report of ours says of an outcome, 0..1; undefined where it says no class, or not that. */
export function reportProbability(
  { contained = [] }: Pick<DiagnosticReport, 'contained'>,
  outcomeId: string,
): number | undefined {
  for (const part of contained) {
    if (part.resourceType !== 'Observation') continue;
    const { extension = [] } = part;
    if (!extension.some(({ url, valueCode }) => url === extensionUrls.outcomeId && valueCode === outcomeId)) continue;
    const percent = extension.find(({ url }) => url === extensionUrls.classProbability)?.valueQuantity?.value;
    return percent === undefined ? undefined : percent / 100;
  }
  return undefined;
}
