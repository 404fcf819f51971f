/** PostgreSQL keeps no NUL. It is replaced, not left out: what is no id must not become one. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
