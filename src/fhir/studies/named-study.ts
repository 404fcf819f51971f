import type { ImagingStudy } from '@medplum/fhirtypes';
import { belowBase, parseRelativeReference } from '../reference.ts';

/** A study as a caller names it: by its logical id at the record source, or by its Study Instance UID (DW-1). */
export type NamedStudy = { readonly id: string } | { readonly uid: string };

const uidShape = /^(?:urn:oid:)?((?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+)$/i;
const longestUid = 64;

/**
 * Reads `ImagingStudy/17`, an absolute URL below one of the bases, a Study Instance UID, or `urn:oid:` and that; undefined for
 * everything else.
 */
export function namedStudy(text: string, bases: readonly string[]): NamedStudy | undefined {
  const uid = uidShape.exec(text)?.[1];
  if (uid !== undefined) return uid.length <= longestUid ? { uid } : undefined;
  const [relative = text] = bases.flatMap((base) => belowBase(text, base) ?? []);
  const named = parseRelativeReference(relative);
  return named?.type === 'ImagingStudy' && named.versionId === undefined ? { id: named.id } : undefined;
}

/** True where one of its identifiers is this Study Instance UID (DW-1). */
export function hasStudyUid({ identifier }: Pick<ImagingStudy, 'identifier'>, uid: string): boolean {
  if (!Array.isArray(identifier)) return false;
  return identifier.some(
    ({ system, value }) => system === 'urn:dicom:uid' && value?.trim().replace(/^urn:oid:/i, '') === uid,
  );
}

/** The search that finds a study by its UID, whichever way its identifier is written. */
export function studyUidSearch(uid: string): readonly (readonly [string, string])[] {
  return [['identifier', `urn:dicom:uid|urn:oid:${uid},urn:dicom:uid|${uid}`]];
}
