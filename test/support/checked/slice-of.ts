import { isDeepStrictEqual } from 'node:util';
import type { ElementNode } from './element-tree.ts';
import { matchesPattern } from './matches-pattern.ts';

/**
 * The slice that an item of a sliced element belongs to. Throws RangeError for a way of slicing that none of the
 * definitions in use has: a check that understands half of a definition would pass what it forbids.
 */
export function sliceOf(node: ElementNode, item: unknown): ElementNode | undefined {
  return node.slices.find((slice) =>
    (node.element.slicing?.discriminator ?? []).every(({ type, path = '$this' }) => {
      if (type !== 'value' && type !== 'pattern')
        throw new RangeError(`${node.id}: slices by ${type} are not understood`);
      return discriminates(slice, path, item);
    }),
  );
}

function discriminates(slice: ElementNode, path: string, item: unknown): boolean {
  let node: ElementNode | undefined = slice;
  let value = item;
  for (const name of path === '$this' ? [] : path.split('.')) {
    node = node?.children.get(name);
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  const wanted = node && wantedOf(node);
  if (wanted === undefined) throw new RangeError(`${slice.id}: nothing fixed at ${path} tells the slice`);
  return wanted.exactly ? isDeepStrictEqual(value, wanted.value) : matchesPattern(value, wanted.value);
}

/** What an element is fixed to, or the pattern that it has to match. */
export function wantedOf({ element }: ElementNode): { readonly value: unknown; readonly exactly: boolean } | undefined {
  for (const [key, value] of Object.entries(element)) {
    if (/^fixed[A-Z]/.test(key)) return { value, exactly: true };
    if (/^pattern[A-Z]/.test(key)) return { value, exactly: false };
  }
  return undefined;
}
