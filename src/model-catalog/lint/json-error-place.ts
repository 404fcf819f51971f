/** What may come next at a place in a JSON text. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

const blanks = /[ \t\n\r]*/y;
const token =
  /([{}[\],:])|("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Line and column (from 1) of the first thing in a text that keeps it from being JSON; undefined where it is JSON. */
export function jsonErrorPlace(text: string): { readonly line: number; readonly column: number } | undefined {
  const open: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  while (true) {
    blanks.lastIndex = at;
    at += blanks.exec(text)?.[0].length ?? 0;
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) return at === text.length && expected === 'nothing' ? undefined : placeOf(text, at);
    const next = after(expected, found[1] ?? (found[2] === undefined ? 'value' : 'text'), open);
    if (next === undefined) return placeOf(text, at);
    expected = next;
    at = token.lastIndex;
  }
}

/** What may follow a token, or undefined where the token may not stand there. */
function after(expected: Expected, found: string, open: string[]): Expected | undefined {
  const wantsValue = expected === 'value' || expected === 'value-or-end';
  const wantsKey = expected === 'key' || expected === 'key-or-end';
  const wantsEnd = expected === 'value-or-end' || expected === 'key-or-end' || expected === 'comma-or-end';
  switch (found) {
    case '{':
    case '[':
      if (!wantsValue) return undefined;
      open.push(found);
      return found === '{' ? 'key-or-end' : 'value-or-end';
    case '}':
    case ']':
      if (!wantsEnd || open.pop() !== (found === '}' ? '{' : '[')) return undefined;
      break;
    case ',':
      if (expected !== 'comma-or-end') return undefined;
      return open.at(-1) === '{' ? 'key' : 'value';
    case ':':
      return expected === 'colon' ? 'value' : undefined;
    default:
      if (found === 'text' && wantsKey) return 'colon';
      if (!wantsValue) return undefined;
  }
  return open.length === 0 ? 'nothing' : 'comma-or-end';
}

function placeOf(text: string, at: number): { line: number; column: number } {
  const lines = text.slice(0, at).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
