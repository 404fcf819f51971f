import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import type { R4Definitions } from './r4-definitions.ts';

type Element = ElementDefinition & { readonly id: string };

/**
 * The definition with a snapshot made of its base and its differential: every element that a resource of it can have, those
 * of a data type only where the differential says something of them. Mappings of the base are left out: they name
 * specifications that this definition does not.
 * Throws RangeError for a differential that names an element which the base does not have, or a slice without min and max.
 */
export function withSnapshot(definition: StructureDefinition, definitions: R4Definitions): StructureDefinition {
  const base = definitions.structure(definition.baseDefinition ?? '');
  if (base?.snapshot === undefined)
    throw new RangeError(`${definition.id}: there is no base ${definition.baseDefinition}`);
  const elements = base.snapshot.element.map(withoutMapping);
  for (const change of definition.differential?.element ?? []) {
    apply(elements, change as Element, definitions, definition.id ?? '');
  }
  const { snapshot: _, differential, ...rest } = definition;
  return { ...rest, snapshot: { element: elements }, ...(differential === undefined ? {} : { differential }) };
}

function apply(elements: Element[], change: Element, definitions: R4Definitions, name: string): void {
  let index = elements.findIndex(({ id }) => id === change.id);
  if (index < 0 && change.sliceName !== undefined) {
    const sliced = change.id.slice(0, -`:${change.sliceName}`.length);
    if (!elements.some(({ id }) => id === sliced)) unfold(elements, sliced, definitions, name);
    index = addSlice(elements, change, sliced, name);
  } else if (index < 0) index = unfold(elements, change.id, definitions, name);
  const known = elements[index];
  if (known === undefined) throw new RangeError(`${name}: ${change.id} is no element of the base`);
  const constraint = [...(known.constraint ?? []), ...(change.constraint ?? [])];
  elements[index] = { ...known, ...change, ...(constraint.length === 0 ? {} : { constraint }) };
}

/** Puts a copy of what is sliced, with its children, behind all that there is of it. @returns where it is */
function addSlice(elements: Element[], { id, min, max }: Element, sliced: string, name: string): number {
  if (min === undefined || max === undefined) throw new RangeError(`${name}: the slice ${id} needs min and max`);
  const own = elements.filter((element) => element.id === sliced || element.id.startsWith(`${sliced}.`));
  if (own.length === 0) return -1;
  const copies = own.map(({ slicing: _, ...element }) => ({
    ...element,
    id: `${id}${element.id.slice(sliced.length)}`,
  }));
  const end = elements.findLastIndex((element) => belongsTo(element.id, sliced)) + 1;
  elements.splice(end, 0, ...copies);
  return end;
}

/** Puts the elements of a data type below the element that has it. @returns where the wanted one is */
function unfold(elements: Element[], id: string, definitions: R4Definitions, name: string): number {
  const parentId = id.slice(0, id.lastIndexOf('.'));
  const at = elements.findIndex((element) => element.id === parentId);
  const parent = elements[at];
  const [type, other] = parent?.type ?? [];
  if (parent === undefined || type === undefined || other !== undefined) {
    throw new RangeError(`${name}: ${id} is below no element of one type`);
  }
  const [, ...children] = definitions.baseType(type.code ?? '').snapshot?.element ?? [];
  const unfolded = children.map((child) => {
    const below = child.path?.slice(child.path.indexOf('.')) ?? '';
    return { ...withoutMapping(child), id: `${parentId}${below}`, path: `${parent.path}${below}` };
  });
  elements.splice(at + 1, 0, ...unfolded);
  return elements.findIndex((element) => element.id === id);
}

function belongsTo(id: string, parent: string): boolean {
  return id === parent || id.startsWith(`${parent}.`) || id.startsWith(`${parent}:`);
}

function withoutMapping({ mapping: _, ...element }: ElementDefinition): Element {
  return element as Element;
}
