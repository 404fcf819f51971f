/** How a list of codes names a value set or a concept. */
export type CodeReference = { readonly valueSet: string } | { readonly concept: string };

export function isCodeReference(entry: unknown): entry is CodeReference {
  if (typeof entry !== 'object' || entry === null || Object.keys(entry).length !== 1) return false;
  const [name] = Object.values(entry);
  return typeof name === 'string' && ('valueSet' in entry || 'concept' in entry);
}

/**
 * A part of a feature map with each list that names value sets or concepts replaced. What names none stays the very same.
 * @param replace given the entries of a list and its JSON Pointer below the part
 */
export function listsOf(
  part: unknown,
  replace: (entries: readonly unknown[], path: string) => readonly string[],
  path = '',
): unknown {
  if (typeof part !== 'object' || part === null) return part;
  if (Array.isArray(part) && part.some(isCodeReference)) return replace(part, path);
  const children = Object.entries(part).map(
    ([key, child]) => [key, listsOf(child, replace, `${path}/${key}`)] as const,
  );
  if (children.every(([key, child]) => child === part[key as keyof typeof part])) return part;
  return Array.isArray(part) ? children.map(([, child]) => child) : Object.fromEntries(children);
}

/** The entries of the codes by which an observation feature finds its values, as its file has them. */
export function measuredEntries(definition: object): readonly unknown[] {
  const { codes, component } = definition as { codes?: unknown; component?: { codes?: unknown } };
  return [codes, component?.codes].flatMap((list) => (Array.isArray(list) ? list : []));
}
