/**
 * True where a resource or an element says that it must not be read by those who do not know what it adds: an unknown
 * modifierExtension or implicitRules (R4 section 2.4.1.1). This server knows none.
 */
export function changesMeaning(element: {
  readonly modifierExtension?: readonly unknown[];
  readonly implicitRules?: string;
}): boolean {
  return element.implicitRules !== undefined || (element.modifierExtension?.length ?? 0) > 0;
}
