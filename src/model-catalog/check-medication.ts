import { requiredCodes } from '../fhir/required-codes.ts';
import {
  countingStatuses,
  type MedicationDefinition,
  type MedicationSource,
  medicationSources,
  typeOfSource,
} from './medication-schema.ts';

/** Statuses that say that it never was, or that nobody knows. */
const neverCounts: readonly string[] = ['entered-in-error', 'unknown'];

/** That each source has statuses that exist and may count, and a window where its resources are about one moment. */
export function checkMedication(definition: MedicationDefinition, find: (path: string, message: string) => void): void {
  const { status, intent, window, activeAt } = definition;
  const sources = medicationSources(definition);
  const isList = Array.isArray(status);
  if (isList && sources.length > 1) find('/status', `is needed by source: ${sources.join(', ')}`);
  for (const source of sources) {
    const path = isList ? '/status' : `/status/${source}`;
    const counting = countingStatuses(definition, source);
    if (counting.length === 0) find('/status', `names no status of ${source}`);
    const type = typeOfSource[source];
    const known = requiredCodes[type]?.status ?? [];
    for (const code of counting) {
      if (!known.includes(code)) find(path, `${code} is no status of ${type}: ${known.join(', ')}`);
      else if (neverCounts.includes(code)) find(path, `${code} never counts`);
    }
  }
  if (!isList)
    for (const source of Object.keys(status).filter((each) => !sources.includes(each as MedicationSource)))
      find(`/status/${source}`, 'is of a source that is not read');
  if (intent !== undefined && !sources.includes('request')) find('/intent', 'is for request, which is not read');
  const isMomentary = (source: MedicationSource): boolean =>
    source === 'administration' || (source === 'dispense' && activeAt !== 'period');
  const momentary = sources.find(isMomentary);
  if (momentary !== undefined && window === undefined)
    find('/window', `is needed by ${momentary}, which is about one moment`);
  if (momentary === undefined && window !== undefined)
    find('/window', 'is for administration, and for dispense where activeAt is status');
}
