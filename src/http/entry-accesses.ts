import type { Bundle } from '@medplum/fhirtypes';
import { belowBase } from '../fhir/reference.ts';
import type { EntryAccess } from './finished-request.ts';
import { subjectIdOf } from './subject-id-of.ts';

/** What the entries of a Bundle that was processed asked for, and what came of each; both have the same order. */
export function entryAccesses(asked: unknown, answered: Bundle, baseUrl: string): EntryAccess[] {
  const entries = (asked as Bundle).entry ?? [];
  return (answered.entry ?? []).map(({ response }, index) => {
    // What was asked is as it came: an entry, or its request, may be anything.
    const { request, resource } = entries[index] ?? {};
    const { method, url } = request ?? {};
    const subject = resource === undefined ? undefined : subjectIdOf(resource);
    return {
      method: String(method),
      url: belowBase(String(url), baseUrl) ?? String(url),
      status: Number.parseInt(response?.status ?? '', 10),
      ...(response?.location !== undefined && { location: response.location }),
      ...(subject !== undefined && { subject }),
    };
  });
}
