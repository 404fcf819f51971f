import type { ElementDefinitionType } from '@medplum/fhirtypes';

const definitions = 'http://hl7.org/fhir/StructureDefinition/';

/** Finds the type of what a reference inside a resource points to, by `#id`. */
export type ContainedType = (id: string) => string | undefined;

/** What is wrong with where a Reference points, given the types that it may point to; undefined where nothing is. */
export function referenceFault(
  value: { readonly reference?: unknown; readonly type?: unknown },
  { targetProfile = [] }: ElementDefinitionType,
  containedType: ContainedType,
): string | undefined {
  const allowed = targetProfile.map((url) => url.replace(definitions, ''));
  const pointed = pointedType(value.reference, containedType);
  if (pointed === null) return `points to ${String(value.reference)}, which is not contained`;
  const said = typeof value.type === 'string' ? value.type : undefined;
  if (pointed !== undefined && said !== undefined && pointed !== said)
    return `points to a ${pointed} and says that it is a ${said}`;
  const type = pointed ?? said;
  if (type === undefined || allowed.length === 0 || allowed.includes('Resource') || allowed.includes(type))
    return undefined;
  return `points to a ${type}; allowed is ${allowed.join(', ')}`;
}

/** The type in a literal reference; undefined where it does not tell, null where it names what is not contained. */
function pointedType(reference: unknown, containedType: ContainedType): string | null | undefined {
  if (typeof reference !== 'string') return undefined;
  if (reference.startsWith('#')) return containedType(reference.slice(1)) ?? null;
  return /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/.exec(reference)?.[1];
}
