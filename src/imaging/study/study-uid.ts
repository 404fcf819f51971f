import type { ImagingStudy } from '@medplum/fhirtypes';
import { isDicomUid } from '../dicomweb/dicom-uid.ts';
import { NoImage } from '../image-reading.ts';

/**
 * The Study Instance UID that an ImagingStudy names: an identifier of system `urn:dicom:uid`, with or without `urn:oid:` (DW-1).
 * Throws NoImage where it names none, several, or one that is none.
 */
export function studyUidOf({ identifier = [] }: Pick<ImagingStudy, 'identifier'>): string {
  const named = identifier.filter(({ system }) => system === 'urn:dicom:uid').map(({ value = '' }) => value.trim());
  const uids = new Set(named.map((value) => value.replace(/^urn:oid:/i, '')));
  const [uid] = uids;
  if (uid === undefined)
    throw new NoImage('undecodable', 'the ImagingStudy has no identifier of the system urn:dicom:uid');
  if (uids.size > 1) throw new NoImage('undecodable', `the ImagingStudy names ${uids.size} Study Instance UIDs`);
  if (!isDicomUid(uid))
    throw new NoImage('undecodable', 'the Study Instance UID of the ImagingStudy is no UID of DICOM');
  return uid;
}
