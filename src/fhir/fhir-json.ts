/**
 * JSON that keeps decimals as they were written: FHIR's 0.10 is not 0.1, and a JavaScript number cannot tell.
 * Objects that hold such a number carry its text under a symbol: spread keeps it, `JSON.stringify` and loops
 * over keys do not see it.
 */
const literals = Symbol('decimal-literals');

type Holder = Record<string, unknown> & { [literals]?: Record<string, string> };

/**
 * A number whose text may say more than the double: a trailing zero, an exponent, more than 15 digits, or so small that
 * JavaScript would write it with an exponent. What ends it is part of the pattern, or every time of day would look like one.
 */
const telling = /[[:,]\s*-?(?:\d+\.\d*0|0\.0{6}\d+|\d+(?:\.\d+)?[eE][+-]?\d+|[\d.]{16,})\s*[,\]}]/;

/** Parses JSON. Numbers become doubles, and keep their text where it says more. Throws SyntaxError. */
export function parseFhirJson(text: string): unknown {
  if (!telling.test(text)) return JSON.parse(text);
  return JSON.parse(text, function (this: Holder, key: string, value: unknown, context?: { source?: string }) {
    const source = context?.source;
    if (typeof value === 'number' && source !== undefined && source !== String(value)) {
      Object.defineProperty(this, literals, {
        value: { ...this[literals], [key]: source },
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return value;
  } as (this: unknown, key: string, value: unknown) => unknown);
}

/** Serialises what `parseFhirJson` parsed; numbers that were not changed since come out as they were written. */
export function stringifyFhirJson(value: unknown, indent?: number): string {
  if (!holdsLiteral(value)) return JSON.stringify(value, undefined, indent);
  return JSON.stringify(
    value,
    function (this: Holder, key: string, item: unknown) {
      const source = typeof item === 'number' ? this[literals]?.[key] : undefined;
      return source !== undefined && Number(source) === item ? rawJson(source) : item;
    },
    indent,
  );
}

function holdsLiteral(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ((value as Holder)[literals] !== undefined) return true;
  return Array.isArray(value) ? value.some(holdsLiteral) : Object.values(value).some(holdsLiteral);
}

/** `JSON.rawJSON` is older in V8 than in TypeScript's library. Before Node 22 the double's own text is used. */
function rawJson(source: string): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };
  return rawJSON === undefined ? Number(source) : rawJSON(source);
}
