import { type ClinicalRecord, recordTypes } from '../records/clinical-record.ts';

/**
 * What a prediction is about as `Type/id`, where the record holds it: then it is the subject's own. Undefined for a draft, and for
 * what a call names but nobody has read, which may be another patient's.
 */
export function readFocus(record: Pick<ClinicalRecord, 'byType'>, focus: string | undefined): string | undefined {
  const [named, id] = focus?.split('/') ?? [];
  const type = recordTypes.find((known) => known === named);
  if (type === undefined || id === undefined) return undefined;
  return record.byType(type).some((resource) => resource.id === id) ? focus : undefined;
}
