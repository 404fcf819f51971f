import type { Resource } from '@medplum/fhirtypes';
import { belowBase, parseRelativeReference } from '../reference.ts';

/** Elements that hold text, not links, even where the text looks like one. */
const notLinks = new Set(['id', 'value', 'valueString', 'system', 'display', 'text', 'div', 'data', 'fullUrl']);

/**
 * A resource in which every link that `target` knows is replaced: references and the elements of type uri, url, oid and
 * uuid. A fragment or a version behind a replaced link is not kept. The given one stays as it is; parts without a
 * replaced link are shared with it.
 * @param target gives the new text for a link, or undefined where it stays; `isReference` tells Reference.reference
 */
export function rewriteLinks<T>(value: T, target: (link: string, isReference: boolean) => string | undefined): T {
  return rewrite(value, '', target) as T;
}

function rewrite(
  value: unknown,
  key: string,
  target: (link: string, isReference: boolean) => string | undefined,
): unknown {
  if (typeof value === 'string') return notLinks.has(key) ? value : (target(value, key === 'reference') ?? value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => rewrite(item, key, target));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  let copy: Record<string, unknown> | undefined;
  for (const [name, item] of Object.entries(value)) {
    if (typeof item !== 'object' && typeof item !== 'string') continue;
    const rewritten = rewrite(item, name, target);
    if (rewritten === item) continue;
    copy ??= { ...value };
    defineOwn(copy, name, rewritten);
  }
  return copy ?? value;
}

/** Sets a property of any name, also `__proto__`, as an own one. */
function defineOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Every Reference.reference in a resource. */
export function referencesIn(value: unknown): string[] {
  const found: string[] = [];
  rewriteLinks(value, (link, isReference) => {
    if (isReference) found.push(link);
    return undefined;
  });
  return found;
}

/**
 * A copy in which references to this server are relative, so that they still lead here when its address changes. A
 * Bundle keeps its own: inside it a relative reference is relative to an entry's fullUrl.
 */
export function withRelativeReferences<T extends Resource>(resource: T, baseUrl: string): T {
  if (resource.resourceType === 'Bundle') return resource;
  return rewriteLinks(resource, (link, isReference) => {
    const below = isReference ? belowBase(link, baseUrl) : undefined;
    return below !== undefined && parseRelativeReference(below) ? below : undefined;
  });
}
