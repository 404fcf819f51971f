/** True only where the text is certainly allowed; false leaves the question open. */
export type CertainText = (text: string) => boolean;

/** FHIR's patterns, as the definitions write them. */
const patterns = {
  text: '^[ \\r\\n\\t\\S]+$',
  uri: '^\\S*$',
  code: '^[^\\s]+(\\s[^\\s]+)*$',
  id: '^[A-Za-z0-9\\-\\.]{1,64}$',
} as const;

const firstVisible = 33;
const lastPrintable = 126;
/** Up to here one look at each character is faster than a regular expression. */
const shortLength = 16;

/** No control character, no half of one, no white space but what FHIR's text may hold. */
const longText = /^[\t\n\r -~\u00a1-\u167f\u2060-\u2fff]*$/;

/** Formats that are written in ASCII letters, digits and signs alone. */
const asciiFormats: ReadonlySet<string> = new Set(['fhir-date', 'fhir-dateTime', 'fhir-instant']);

/**
 * Checks that are much faster than pattern and format, and stricter: what they pass has them, is not empty, and holds
 * neither control characters nor halves of characters.
 * @returns the check for a pattern and a format of the definitions (each undefined where there is none), undefined where
 * none is known
 */
export function createCertainTexts(
  formats: Readonly<Record<string, CertainText>>,
): (pattern: string | undefined, format: string | undefined) => CertainText | undefined {
  const isUri = rememberingByLength(isVisible);
  return (pattern, format) => {
    if (format !== undefined) {
      if (pattern !== undefined) return undefined;
      return format === 'fhir-reference' ? isUsualReference : asciiFormats.has(format) ? formats[format] : undefined;
    }
    switch (pattern) {
      case undefined:
      case patterns.text:
        return isText;
      case patterns.uri:
        return isUri;
      case patterns.code:
        return isVisible;
      case patterns.id:
        return isId;
      default:
        return undefined;
    }
  };
}

const longestRemembered = 100;

/** Records name the same few code systems again and again: the last one of each length is known at once. */
function rememberingByLength(check: CertainText): CertainText {
  const passed: string[] = Array.from({ length: longestRemembered + 1 }, () => '');
  return (text) => {
    const { length } = text;
    if (length > longestRemembered) return check(text);
    if (passed[length] === text) return length > 0;
    if (!check(text)) return false;
    passed[length] = text;
    return true;
  };
}

function isText(text: string): boolean {
  const { length } = text;
  if (length > shortLength) return longText.test(text);
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < firstVisible - 1 || unit > lastPrintable) return longText.test(text);
  }
  return length > 0;
}

/** Visible ASCII alone: no white space, which neither a URI nor most codes hold. */
function isVisible(text: string): boolean {
  const { length } = text;
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < firstVisible || unit > lastPrintable) return false;
  }
  return length > 0;
}

function isId(text: string): boolean {
  return isIdBetween(text, 0, text.length);
}

/** `Type/id`, the usual form of a reference. */
function isUsualReference(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 2 || slash > 64) return false;
  const first = text.charCodeAt(0);
  if (first < upperA || first > upperZ) return false;
  for (let at = 1; at < slash; at++) if (!isLetter(text.charCodeAt(at))) return false;
  return isIdBetween(text, slash + 1, text.length);
}

const [upperA, upperZ, lowerA, lowerZ, zero, nine, dash, dot] = [65, 90, 97, 122, 48, 57, 45, 46] as const;
const longestId = 64;

function isIdBetween(text: string, from: number, to: number): boolean {
  if (to <= from || to - from > longestId) return false;
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at);
    if (!(isLetter(unit) || (unit >= zero && unit <= nine) || unit === dash || unit === dot)) return false;
  }
  return true;
}

function isLetter(unit: number): boolean {
  return (unit >= lowerA && unit <= lowerZ) || (unit >= upperA && unit <= upperZ);
}
