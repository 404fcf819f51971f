/**
 * A dataset in the DICOM JSON model (PS3.18 annex F): elements by eight hex digits of their tag in upper case.
 * The metadata of WADO-RS and a Part 10 file both become one; it is as the sender wrote it, so nothing in it is trusted.
 */
export type DicomJson = Readonly<Record<string, DicomJsonElement>>;

/** One element. An empty one has no value; pixels and other bulk data stay out of it or are named by address. */
export interface DicomJsonElement {
  readonly vr: string;
  /** Numbers, texts, `{ Alphabetic }` of person names, datasets of sequences; null where one of several is empty. */
  readonly Value?: readonly unknown[];
  readonly BulkDataURI?: string;
  /** Base64, numbers in little-endian order. */
  readonly InlineBinary?: string;
}
