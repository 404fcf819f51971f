import type { ImagingStudy, Resource } from '@medplum/fhirtypes';
import { instantRange } from '../fhir/instant-range.ts';
import { type ClinicalRecord, type RecordType, recordTypes } from '../records/clinical-record.ts';

/** What is known of the data that a result rests on: `unknown` where the server does not say when all of them changed last. */
export type DataSince = 'same' | 'changed' | 'unknown';

/** Seen anew in every call (opt-outs), or told one by one (studies, with what leads to their images). */
const apart: readonly RecordType[] = ['Patient', 'Consent', 'Group', 'Endpoint', 'ImagingStudy'];

export interface ResultMade {
  /** Before anything was read for it. */
  readonly computedAt: Date;
  readonly resourceType?: string;
  readonly resourceId?: string;
}

/**
 * Whether the patient, the studies or anything else that a record holds for a model has changed since a result was made of it, by what
 * their server says. A change of the very instant counts: nobody knows what came first. What was deleted is not seen.
 * @param studies that images are read from; the record may hold others
 * @param timeZone IANA zone of the site
 */
export function dataSince(
  record: Pick<ClinicalRecord, 'patient' | 'byType'>,
  studies: readonly ImagingStudy[],
  { computedAt, resourceType, resourceId }: ResultMade,
  timeZone: string,
): DataSince {
  const others = recordTypes.filter((type) => !apart.includes(type)).flatMap((type) => record.byType(type));
  const compared: readonly Resource[] = [record.patient, ...studies, ...others];
  let isUnknown = false;
  for (const { resourceType: type, id, meta } of compared) {
    // The report is younger than what it says.
    if (type === resourceType && id === resourceId) continue;
    const changed = meta?.lastUpdated === undefined ? undefined : instantRange(meta.lastUpdated, timeZone);
    if (changed === undefined) isUnknown = true;
    else if (changed.end > computedAt.getTime()) return 'changed';
  }
  return isUnknown ? 'unknown' : 'same';
}
