import type { Reference, Resource } from '@medplum/fhirtypes';
import type { SourceReference } from '../features/feature-vector.ts';

/** A source as a FHIR Reference; only a display where there is nothing to refer to. It is shared, not copied. */
export function toReference(source: SourceReference): Reference<Resource> & Reference {
  if (source.reference !== '') return source;
  return source.display === undefined ? {} : { display: source.display };
}

/** What tells one source from another, as the text of a JSON array. It is part of what identifies a result. */
export function sourceKey(source: SourceReference): string {
  const { reference, display = '' } = source;
  return `[${reference === undefined ? 'null' : JSON.stringify(reference)},${JSON.stringify(display)}]`;
}

/** The sources without repeats, in the order of their first occurrence. */
export function distinctSources(sources: Iterable<SourceReference>): SourceReference[] {
  const references = new Set<string>();
  const displays = new Set<string>();
  const others = new Set<string>();
  const isNew = (known: Set<string>, key: string): boolean => known.size < known.add(key).size;
  return [...new Set(sources)].filter((source) => {
    const { reference, display } = source;
    // Most have only the one or the other, which tells them apart as it is.
    if (reference !== undefined && display === undefined) return isNew(references, reference);
    if (reference === undefined && display) return isNew(displays, display);
    return isNew(others, sourceKey(source));
  });
}
