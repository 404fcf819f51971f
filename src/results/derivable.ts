/** What an Observation of R4 may be derived from; all that a result rests on stands in its inputs and its Provenance. */
const derivable =
  /(?:^|\/)(?:DocumentReference|ImagingStudy|Media|QuestionnaireResponse|Observation|MolecularSequence)\/[^/]+(?:\/_history\/[^/]+)?$/;

/** @param reference to a resource, relative or absolute, with or without a version */
export function isDerivable(reference: string): boolean {
  return derivable.test(reference);
}
