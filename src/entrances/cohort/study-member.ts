import type { ListedStudy } from '../../fhir/studies/study-index.ts';
import { studySubject } from '../../fhir/studies/study-subject.ts';
import type { FoundSubject } from '../../runs/member-table.ts';

/**
 * A study as the member of a run: the subject that it names, and the study as what is predicted about. One that names no Patient of
 * the record source fails by itself, under the name of the study, which no patient can have for an id.
 * @param study as a server gave it; one without an id is none
 * @param bases see StudyIndex
 */
export function studyMember(study: ListedStudy, bases: readonly string[]): FoundSubject[] {
  const { id } = study;
  if (id === undefined) return [];
  const focus = `ImagingStudy/${id}`;
  const subject = studySubject(study, bases);
  if (subject !== undefined) return [{ subject, focus }];
  const message = `${focus} names no Patient of the record source as its subject, so that nobody can be predicted about. Correct ImagingStudy.subject.`;
  return [{ subject: focus, focus, error: { code: 'SUBJECT_UNKNOWN', message } }];
}
