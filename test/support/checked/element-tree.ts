import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';

/** One element of a snapshot, with what stands below it. */
export interface ElementNode {
  readonly id: string;
  readonly element: ElementDefinition;
  /** By name; a choice has `[x]` at its end. */
  readonly children: Map<string, ElementNode>;
  /** Where the element is sliced: what its slices say. */
  readonly slices: ElementNode[];
}

/** The snapshot of a definition as a tree. Throws RangeError where it has none, or holds an element before its parent. */
export function elementTree({ url, snapshot }: StructureDefinition): ElementNode {
  const nodes = new Map<string, ElementNode>();
  for (const element of snapshot?.element ?? []) {
    const id = element.id ?? '';
    const node: ElementNode = { id, element, children: new Map(), slices: [] };
    nodes.set(id, node);
    const name = id.slice(id.lastIndexOf('.') + 1);
    if (!id.includes('.')) continue;
    if (element.sliceName !== undefined) {
      parentOf(nodes, id.slice(0, -`:${element.sliceName}`.length), id, url).slices.push(node);
    } else parentOf(nodes, id.slice(0, id.lastIndexOf('.')), id, url).children.set(name, node);
  }
  const [root] = nodes.values();
  if (root === undefined) throw new RangeError(`${url} has no snapshot`);
  return root;
}

function parentOf(nodes: ReadonlyMap<string, ElementNode>, parent: string, id: string, url: string): ElementNode {
  const found = nodes.get(parent);
  if (found === undefined) throw new RangeError(`${url}: ${id} stands before ${parent}`);
  return found;
}

/** The node with an id below another one. */
export function nodeById(root: ElementNode, id: string): ElementNode | undefined {
  if (root.id === id) return root;
  for (const below of [...root.children.values(), ...root.slices]) {
    const found = nodeById(below, id);
    if (found !== undefined) return found;
  }
  return undefined;
}
