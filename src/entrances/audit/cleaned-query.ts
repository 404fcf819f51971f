import { isFhirId, parseRelativeReference } from '../../fhir/reference.ts';

/** What of a search is kept. */
export interface CleanedQuery {
  /** `Observation?patient=Patient/17&code&_count=50` */
  readonly text: string;
  /** Logical id of the one Patient that the search names. */
  readonly subject?: string;
}

/**
 * A search without what it searched for: a name or a birth date in a query is as private as in a record. Values stay only
 * where they are ids of Patients, or how many results are wanted in which order.
 * @param type that is searched
 * @param query of a search that was understood, so that its names are those of parameters
 */
export function cleanedQuery(type: string, query: string): CleanedQuery {
  const subjects = new Set<string>();
  const parts = [...new URLSearchParams(query)].map(([name, value]) => {
    const subject = subjectIn(type, name, value);
    if (subject !== undefined) {
      subjects.add(subject);
      return `${name}=${name === '_id' ? subject : `Patient/${subject}`}`;
    }
    return plain.has(name) && /^[\w.,-]{1,64}$/.test(value) ? `${name}=${value}` : name;
  });
  const [subject, ...others] = subjects;
  return {
    text: parts.length === 0 ? type : `${type}?${parts.join('&')}`,
    ...(subject !== undefined && others.length === 0 && { subject }),
  };
}

const plain: ReadonlySet<string> = new Set(['_count', '_sort']);

function subjectIn(type: string, name: string, value: string): string | undefined {
  if (
    name === 'patient' ||
    name === 'subject' ||
    name === 'subject:Patient' ||
    (name === '_id' && type === 'Patient')
  ) {
    const reference = parseRelativeReference(value);
    if (reference !== undefined) return reference.type === 'Patient' ? reference.id : undefined;
    return name !== 'subject' && isFhirId(value) ? value : undefined;
  }
  return undefined;
}
