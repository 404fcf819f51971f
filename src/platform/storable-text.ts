/**
 * PostgreSQL keeps no NUL, and JSON that it reads must hold no half of a character. Either is replaced, not left out: what is no id must
 * not become one.
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** As JSON that PostgreSQL reads, whose texts are storable. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!/\\u(?:0000|d[89a-f])/.test(json)) return json;
  return JSON.stringify(value, (_name, one) => (typeof one === 'string' ? storableText(one) : one));
}
