/** The caller's X-Request-Id where it is one that can be logged and echoed, else a new one. */
export function requestIdOf(header: string | undefined, newId: () => string): string {
  return header !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(header) ? header : newId();
}
