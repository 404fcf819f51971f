/** A key that stands twice in one object of a JSON text, of which a parser silently keeps the last. */
export interface RepeatedKey {
  /** JSON Pointer of the key. */
  readonly path: string;
  /** Of its later place, from 1. */
  readonly line: number;
}

interface Container {
  readonly path: string;
  /** Absent for an array. */
  readonly keys?: Set<string>;
  /** What the value that comes next is called in it. */
  next: string;
}

/** @param text JSON */
export function repeatedKeys(text: string): RepeatedKey[] {
  const found: RepeatedKey[] = [];
  const open: Container[] = [];
  for (const { 0: token, 1: name, index } of text.matchAll(/("(?:[^"\\]|\\.)*")(?=\s*:)|"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
    const container = open.at(-1);
    if (token === '{' || token === '[') {
      const path = container === undefined ? '' : `${container.path}/${container.next}`;
      open.push(token === '{' ? { path, keys: new Set(), next: '' } : { path, next: '0' });
    } else if (token === '}' || token === ']') open.pop();
    else if (token === ',' && container?.keys === undefined && container !== undefined)
      container.next = String(Number(container.next) + 1);
    else if (name !== undefined && container?.keys !== undefined) {
      const key = String(JSON.parse(name));
      container.next = key.replaceAll('~', '~0').replaceAll('/', '~1');
      if (container.keys.has(key)) {
        found.push({ path: `${container.path}/${container.next}`, line: text.slice(0, index).split('\n').length });
      }
      container.keys.add(key);
    }
  }
  return found;
}
