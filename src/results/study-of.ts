import { instantRange } from '../fhir/instant-range.ts';
import type { ResultRequest } from './result-request.ts';

const imagingStudy = /(?:^|\/)ImagingStudy\/[^/]+(?:\/_history\/[^/]+)?$/;

/** @param reference relative or absolute, with or without a version */
export function isImagingStudy({ reference = '' }: { readonly reference?: string }): boolean {
  return imagingStudy.test(reference);
}

/**
 * `ImagingStudy/id` of the study that the images were read from, of several the newest; where none could be read, of the one
 * study that was looked at. Undefined where there is no such study.
 */
export function studyOf({ inputs, timeZone }: Pick<ResultRequest, 'inputs' | 'timeZone'>): string | undefined {
  let newest: { readonly study: string; readonly start: number } | undefined;
  const lookedAt = new Set<string>();
  for (const value of inputs.features.values()) {
    const named = value.sources.find(isImagingStudy)?.reference;
    const study = named?.match(/ImagingStudy\/[^/]+/g)?.at(-1);
    if (study === undefined) continue;
    lookedAt.add(study);
    if (value.state !== 'observed') continue;
    const start = (value.at === undefined ? undefined : instantRange(value.at, timeZone)?.start) ?? 0;
    if (newest === undefined || start > newest.start || (start === newest.start && study > newest.study))
      newest = { study, start };
  }
  const [only, another] = lookedAt;
  return newest?.study ?? (another === undefined ? only : undefined);
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
