import type { Bundle } from '@medplum/fhirtypes';
import { urlBelowBase } from '../fhir/store/bundle-entry.ts';
import type { EntryAccess } from './finished-request.ts';
import { subjectIdOf } from './subject-id-of.ts';

/**
 * What the entries of a Bundle that was processed asked for, and what came of each; both have the same order.
 * @param baseUrl the FHIR base of this server: entries may name what they ask for with it
 */
export function entryAccesses(asked: unknown, answered: Bundle, baseUrl: string): EntryAccess[] {
  const entries = (asked as Bundle).entry ?? [];
  return (answered.entry ?? []).map(({ response, resource: found }, index) => {
    // What was asked is as it came: an entry, or its request, may be anything.
    const { request, resource } = entries[index] ?? {};
    const { method, url } = request ?? {};
    const about = resource ?? found;
    const subject = about === undefined ? undefined : subjectIdOf(about);
    return {
      method: String(method),
      url: urlBelowBase(String(url), baseUrl),
      status: Number.parseInt(response?.status ?? '', 10),
      ...(response?.location !== undefined && { location: response.location }),
      ...(subject !== undefined && { subject }),
    };
  });
}
