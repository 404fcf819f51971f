import type { Reference, Resource } from '@medplum/fhirtypes';
import type { SourceReference } from '../features/feature-vector.ts';

/** A source as a FHIR Reference; only a display where there is nothing to refer to. */
export function toReference(source: SourceReference): Reference<Resource> & Reference {
  return {
    ...(source.reference === undefined || source.reference === '' ? {} : { reference: source.reference }),
    ...(source.display === undefined ? {} : { display: source.display }),
  };
}

/** What tells one source from another, as the text of a JSON array. It is part of what identifies a result. */
export function sourceKey(source: SourceReference): string {
  const { reference, display = '' } = source;
  return `[${reference === undefined ? 'null' : JSON.stringify(reference)},${JSON.stringify(display)}]`;
}

/** The sources without repeats, in the order of their first occurrence. */
export function distinctSources(sources: Iterable<SourceReference>): SourceReference[] {
  const byKey = new Map<string, SourceReference>();
  for (const source of new Set(sources)) {
    const key = sourceKey(source);
    if (!byKey.has(key)) byKey.set(key, source);
  }
  return [...byKey.values()];
}
