/** A number of JSON as it was written, where a double would not say the same. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** As many digits as not every double keeps. */
const long = /\d[\d.]{15}/;
/** Where no integers are announced, doubles are all that is read. An escape could hide the announcement. */
const mayHoldIntegers = /"U?INT|\\u/;

/**
 * Parses JSON without losing a digit of a whole number: one that a double would change becomes a `NumberText`.
 * Throws SyntaxError, whose message says where it breaks and repeats nothing of the text.
 */
export function parseExactJson(text: string): unknown {
  try {
    return long.test(text) && mayHoldIntegers.test(text) ? JSON.parse(text, keepText) : JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof RangeError)) throw cause;
    const position = /position (\d+)/.exec(cause.message)?.[1];
    throw new SyntaxError(
      `it is not valid JSON${position === undefined ? '' : `; it breaks at character ${position}`}`,
    );
  }
}

/** The third argument is older in V8 (Node.js 22) than in TypeScript's library. */
const keepText = ((_key: string, value: unknown, { source }: { readonly source?: string }): unknown => {
  if (typeof value !== 'number' || source === undefined || source.length <= 15) return value;
  return Number.isSafeInteger(value) && source === String(value) ? value : new NumberText(source);
}) as (key: string, value: unknown) => unknown;
