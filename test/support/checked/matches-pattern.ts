/** Whether a value holds all of a pattern, as ElementDefinition.pattern[x] means it: of a list, each wanted item somewhere. */
export function matchesPattern(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && pattern.every((wanted) => value.some((item) => matchesPattern(item, wanted)));
  }
  if (typeof pattern !== 'object' || pattern === null) return value === pattern;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(pattern).every(([key, wanted]) =>
    matchesPattern((value as Record<string, unknown>)[key], wanted),
  );
}
