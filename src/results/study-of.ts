import { instantRange } from '../fhir/instant-range.ts';
import type { ResultRequest } from './result-request.ts';

const imagingStudy = /(?:^|\/)ImagingStudy\/[^/]+(?:\/_history\/[^/]+)?$/;

/** @param reference relative or absolute, with or without a version */
export function isImagingStudy({ reference = '' }: { readonly reference?: string }): boolean {
  return imagingStudy.test(reference);
}

/** When the newest of the studies began that the features were read from, as it is written there; undefined where none says it. */
export function studyStarted({ inputs, timeZone }: Pick<ResultRequest, 'inputs' | 'timeZone'>): string | undefined {
  let newest: { readonly at: string; readonly start: number } | undefined;
  for (const value of inputs.features.values()) {
    if (value.state !== 'observed' || value.at === undefined || !value.sources.some(isImagingStudy)) continue;
    const start = instantRange(value.at, timeZone)?.start;
    if (start !== undefined && (newest === undefined || start > newest.start)) newest = { at: value.at, start };
  }
  return newest?.at;
}
