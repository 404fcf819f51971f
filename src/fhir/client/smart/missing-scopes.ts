const version1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/**
 * Scopes of version 2 that a token lacks (SM-5). One with search parameters grants a part only, and counts for nothing.
 * @param needed,granted with a blank between them
 */
export function missingScopes(needed: string, granted: string): string[] {
  const parts = granted.split(' ').flatMap((scope) => {
    const [, level, type, letters = ''] = /^(system|user|patient)\/(\*|[A-Za-z]+)\.([a-z]+|\*)$/.exec(scope) ?? [];
    return level === undefined ? [] : [{ level, type, rights: version1[letters] ?? letters }];
  });
  return needed.split(' ').filter((scope) => {
    const [, level, type, letters = ''] = /^(\w+)\/(\w+)\.([a-z]+)$/.exec(scope) ?? [];
    if (level === undefined) return scope !== '';
    const has = (letter: string): boolean =>
      parts.some(
        (part) => part.level === level && (part.type === type || part.type === '*') && part.rights.includes(letter),
      );
    return ![...letters].every(has);
  });
}
