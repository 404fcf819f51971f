export type Parameters = Readonly<Record<string, string | number | boolean>>;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `parameters` of a message or a tensor; none where there are none. Throws SyntaxError, as the rest of a sentence. */
export function readParameters(value: unknown): Parameters {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new SyntaxError('has parameters that are no object');
  for (const [name, parameter] of Object.entries(value)) {
    if (!['string', 'number', 'boolean'].includes(typeof parameter)) {
      throw new SyntaxError(
        `has the parameter '${name.slice(0, 80)}', which is no text, number (of at most 15 digits) or boolean`,
      );
    }
  }
  return value as Parameters;
}
