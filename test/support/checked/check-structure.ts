import { isDeepStrictEqual } from 'node:util';
import type { ElementDefinitionType, StructureDefinition } from '@medplum/fhirtypes';
import { type ElementNode, elementTree, nodeById } from './element-tree.ts';
import { matchesPattern } from './matches-pattern.ts';
import { primitiveFault } from './primitive-fault.ts';
import type { R4Definitions } from './r4-definitions.ts';
import { referenceFault } from './reference-fault.ts';
import { type CodeCheck, createCodeChecks } from './required-binding.ts';
import { sliceOf, wantedOf } from './slice-of.ts';

/** What is wrong with a resource, and where. */
export interface Finding {
  /** `RiskAssessment.prediction[0].whenPeriod` */
  readonly path: string;
  readonly message: string;
}

type Json = Record<string, unknown>;

/** What a walk through one resource needs at every element. */
interface Walk {
  readonly findings: Finding[];
  /** The resource that the element is of. */
  readonly resource: Json;
  /** The root of the tree that the element's node is of. */
  readonly root: ElementNode;
}

/** Extensions of HL7 guides that are not published with R4. */
const foreignExtensions = [
  'http://hl7.org/fhir/uv/aitransparency/StructureDefinition/aitransparency.modelCardDescription',
];

/**
 * Holds resources against the snapshot of a StructureDefinition: elements, cardinalities, JSON types, fixed values and
 * patterns, slices, codes of required bindings, targets of references, and that every extension is defined and as defined.
 * `null`, empty arrays, objects and strings are faults. Invariants are not looked at.
 */
export function createStructureCheck(definitions: R4Definitions): (resource: Json, profile?: string) => Finding[] {
  const codeCheck = createCodeChecks(definitions);
  const trees = new Map<string, ElementNode>();

  function treeOf(definition: StructureDefinition): ElementNode {
    const tree = trees.get(definition.url) ?? elementTree(definition);
    trees.set(definition.url, tree);
    return tree;
  }

  function checkResource(resource: Json, profile: string | undefined, path: string, findings: Finding[]): void {
    const root = treeOf(definitionOf(resource, profile));
    checkObject(resource, root, path, { findings, resource, root });
  }

  function definitionOf({ resourceType }: Json, profile: string | undefined): StructureDefinition {
    const definition =
      profile === undefined ? definitions.baseType(String(resourceType)) : definitions.structure(profile);
    if (definition === undefined) throw new RangeError(`there is no definition ${profile}`);
    return definition;
  }

  function checkObject(value: Json, node: ElementNode, path: string, walk: Walk): void {
    const known = new Set(value === walk.resource ? ['resourceType'] : []);
    for (const child of node.children.values()) checkChild(value, child, path, walk, known);
    if (Object.keys(value).length === 0) walk.findings.push({ path, message: 'is an empty object' });
    for (const key of Object.keys(value)) {
      if (!known.has(key))
        walk.findings.push({ path, message: `has the element ${key}, which its definition does not know` });
    }
  }

  function checkChild(parent: Json, node: ElementNode, path: string, walk: Walk, known: Set<string>): void {
    const name = node.id.slice(node.id.lastIndexOf('.') + 1);
    const { element } = node;
    const keys = (element.type ?? []).map((type) => ({ type, key: keyOf(name, type) }));
    if (element.contentReference !== undefined) keys.push({ type: { code: 'BackboneElement' }, key: name });
    const present = [...new Map(keys.map((each) => [each.key, each])).values()].filter(({ key }) => {
      known.add(key);
      known.add(`_${key}`);
      return key in parent || `_${key}` in parent;
    });
    const [first, second] = present;
    if (second !== undefined) walk.findings.push({ path, message: `has more than one ${name}` });
    const isList = (element.base?.max ?? element.max) !== '1';
    const items = first === undefined ? [] : itemsOf(parent, first.key, isList, `${path}.${first.key}`, walk.findings);
    countFault(items.length, node, `${path}.${name}`, walk.findings);
    const bySlice = new Map<ElementNode, number>(node.slices.map((slice) => [slice, 0]));
    for (const { value, extra, at } of items) {
      if (first === undefined) continue;
      const slice = node.slices.length === 0 ? undefined : sliceOf(node, value);
      if (slice !== undefined) bySlice.set(slice, (bySlice.get(slice) ?? 0) + 1);
      else if (node.slices.length > 0 && element.slicing?.rules === 'closed')
        walk.findings.push({ path: at, message: 'is in none of the slices of a closed list' });
      if (extra !== undefined) checkObject(extra, treeOf(definitions.baseType('Element')), at, walk);
      if (value !== undefined) checkValue(value, slice ?? node, first.type, at, walk);
    }
    for (const [slice, count] of bySlice)
      countFault(count, slice, `${path}.${name}:${slice.element.sliceName}`, walk.findings);
  }

  function checkValue(value: unknown, node: ElementNode, given: ElementDefinitionType, path: string, walk: Walk): void {
    const type = node.element.type?.find(({ code }) => code === given.code) ?? given;
    const find = (message: string | undefined): void => {
      if (message !== undefined) walk.findings.push({ path, message });
    };
    const wanted = wantedOf(node);
    if (wanted !== undefined) {
      const fits = wanted.exactly ? isDeepStrictEqual(value, wanted.value) : matchesPattern(value, wanted.value);
      if (!fits) find(`is not what its definition wants: ${JSON.stringify(wanted.value)}`);
    }
    const code = typeCode(type);
    const { binding } = node.element;
    if (binding?.strength === 'required' && binding.valueSet !== undefined)
      find(codesFault(value, codeCheck(binding.valueSet)));
    if (/^[a-z]/.test(code)) {
      find(primitiveFault(code, value));
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      find(`is no ${code}: ${value === null ? 'null' : typeof value}`);
      return;
    }
    const object = value as Json;
    if (code === 'Resource' || definitions.baseType(code).kind === 'resource') {
      if (typeof object.resourceType !== 'string') find('is no resource');
      else if (code !== 'Resource' && object.resourceType !== code) find(`is no ${code}: ${object.resourceType}`);
      else checkResource(object, undefined, path, walk.findings);
      return;
    }
    if (code === 'Reference') find(referenceFault(object, type, (id) => containedType(walk.resource, id)));
    const [below, root] = belowOf(node, code, object, walk);
    if (below === undefined) find(`is an extension that nobody defines: ${String(object.url)}`);
    else checkObject(object, below, path, { ...walk, root });
  }

  /** Where the elements below a value are defined, and the root of that definition. */
  function belowOf(
    node: ElementNode,
    code: string,
    { url }: Json,
    { root }: Walk,
  ): readonly [ElementNode | undefined, ElementNode] {
    const { contentReference } = node.element;
    if (contentReference !== undefined) {
      const named = nodeById(root, contentReference.replace('#', ''));
      if (named === undefined) throw new RangeError(`${node.id} refers to ${contentReference}, which is not there`);
      return [named, root];
    }
    if (code === 'Extension' && typeof url === 'string' && isAbsolute(url) && !foreignExtensions.includes(url)) {
      const own = definitions.structure(url);
      return own === undefined ? [undefined, root] : [treeOf(own), treeOf(own)];
    }
    if (node.children.size > 0) return [node, root];
    const general = treeOf(definitions.baseType(code));
    return [general, general];
  }

  return (resource, profile) => {
    const findings: Finding[] = [];
    checkResource(resource, profile, String(resource.resourceType), findings);
    return findings;
  };
}

/** Parts of an extension have short names, which its own definition has slices for. */
function isAbsolute(url: string): boolean {
  return /^(https?|urn):/.test(url);
}

/** `value[x]` of type Quantity is `valueQuantity`. */
function keyOf(name: string, type: ElementDefinitionType): string {
  if (!name.endsWith('[x]')) return name;
  const code = type.code ?? '';
  return `${name.slice(0, -3)}${code.slice(0, 1).toUpperCase()}${code.slice(1)}`;
}

/** Of `id`, `url` and the like R4 gives the type of FHIRPath, and that of FHIR as an extension. */
function typeCode({ code = '', extension }: ElementDefinitionType): string {
  if (!code.startsWith('http://hl7.org/fhirpath/')) return code;
  return extension?.find(({ url }) => url.endsWith('structuredefinition-fhir-type'))?.valueUrl ?? 'string';
}

interface Item {
  /** Undefined where only an extension stands in the place of a primitive. */
  readonly value: unknown;
  /** The id and extensions of a primitive. */
  readonly extra?: Json | undefined;
  readonly at: string;
}

function itemsOf(parent: Json, key: string, isList: boolean, path: string, findings: Finding[]): Item[] {
  const value = parent[key];
  const extra = parent[`_${key}`];
  if (!isList) {
    if (Array.isArray(value)) findings.push({ path, message: 'is a list, and may be one only' });
    else return [{ value, extra: extra as Json | undefined, at: path }];
    return [];
  }
  if ((value !== undefined && !Array.isArray(value)) || (extra !== undefined && !Array.isArray(extra))) {
    findings.push({ path, message: 'is no list' });
    return [];
  }
  const [values, extras] = [(value ?? []) as unknown[], (extra ?? []) as unknown[]];
  if (values.length === 0 && extras.length === 0) findings.push({ path, message: 'is an empty array' });
  return Array.from({ length: Math.max(values.length, extras.length) }, (_, index) => {
    const beside = extras[index] ?? undefined;
    const own = values[index] === null && beside !== undefined ? undefined : values[index];
    return { value: own, extra: beside as Json | undefined, at: `${path}[${index}]` };
  });
}

function countFault(count: number, { element }: ElementNode, path: string, findings: Finding[]): void {
  const { min = 0, max = '*' } = element;
  if (count < min) findings.push({ path, message: `is there ${count} times; at least ${min} is needed` });
  if (max !== '*' && count > Number(max))
    findings.push({ path, message: `is there ${count} times; at most ${max} is allowed` });
}

/** Of a concept one coding has to be of the value set. */
function codesFault(value: unknown, check: CodeCheck): string | undefined {
  if (typeof value === 'string') return check(undefined, value);
  if (typeof value !== 'object' || value === null) return undefined;
  const { code, system, coding } = value as Json;
  if (typeof code === 'string') return check(typeof system === 'string' ? system : '', code);
  if (!Array.isArray(coding)) return undefined;
  const faults = coding.map((each) => codesFault(each, check));
  return faults.includes(undefined) ? undefined : faults[0];
}

function containedType({ contained }: Json, id: string): string | undefined {
  if (!Array.isArray(contained)) return undefined;
  return (contained as Json[]).find((each) => each.id === id)?.resourceType as string | undefined;
}
