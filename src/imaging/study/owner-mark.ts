import { createHash } from 'node:crypto';
import type { ImageAttributes } from '../dicom/image-attributes.ts';

/** Whose a server says an image is: the number, and who gave it. */
export type StatedOwner = Pick<ImageAttributes, 'patientId' | 'issuerOfPatientId'>;

/**
 * Tells whether images of a study are filed under the patient under whom they were read, without the number of anybody: SHA-256
 * (hex) of study, PatientID and issuer. A number without an issuer is another one than the same number with one. No secret of
 * the number, for numbers can be tried: it stands only where the patient is named.
 */
export function ownerMark(studyInstanceUid: string, { patientId, issuerOfPatientId }: StatedOwner): string {
  return createHash('sha256')
    .update(JSON.stringify([studyInstanceUid, patientId ?? null, issuerOfPatientId ?? null]))
    .digest('hex');
}

/** The marks of many images of one study, each once and in order: almost always one. */
export function ownerMarks(studyInstanceUid: string, owners: Iterable<StatedOwner>): readonly string[] {
  const different = new Map<string, StatedOwner>();
  for (const owner of owners) different.set(JSON.stringify([owner.patientId, owner.issuerOfPatientId]), owner);
  return [...different.values()].map((owner) => ownerMark(studyInstanceUid, owner)).sort();
}
