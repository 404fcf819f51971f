import type { ImagingStudy } from '@medplum/fhirtypes';
import { hasStudyUid } from '../../src/fhir/studies/named-study.ts';
import type { StudyIndex } from '../../src/fhir/studies/study-index.ts';

/** A record source that holds these studies, and answers every search by a UID of DICOM. */
export function studyList(base: string, studies: readonly ImagingStudy[]): StudyIndex {
  const search: StudyIndex['search'] = async function* (parameters) {
    const wanted = parameters.flatMap(([name, value]) => (name === 'identifier' ? value.split(',') : []));
    const uids = wanted.map((token) => token.replace(/^urn:dicom:uid\|(?:urn:oid:)?/, ''));
    yield studies.filter((study) => uids.some((uid) => hasStudyUid(study, uid)));
  };
  return {
    bases: [base],
    read: async (id) => studies.find((study) => study.id === id),
    checkSearch: () => undefined,
    search,
    list: search,
  };
}
