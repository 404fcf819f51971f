import { isFhirDate, isFhirDateTime, isFhirInstant } from './date-time.ts';

const firstVisible = 33;
const lastPrintable = 126;
/** Up to here one look at each character is faster than a regular expression. */
const shortLength = 16;

/** No control character, no half of one, no white space but what FHIR's text may hold. */
const longText = /^[\t\n\r -~\u00a1-\u167f\u2060-\u2fff]*$/;

/** What a string element holds, as far as a look at its characters can tell. */
export const textKind = {
  none: 0,
  text: 1,
  uri: 2,
  code: 3,
  id: 4,
  reference: 5,
  date: 6,
  dateTime: 7,
  instant: 8,
} as const;
export type TextKind = (typeof textKind)[keyof typeof textKind];

/** FHIR's patterns, as the definitions write them. */
const kindsByPattern: Readonly<Record<string, TextKind>> = {
  '^[ \\r\\n\\t\\S]+$': textKind.text,
  '^\\S*$': textKind.uri,
  '^[^\\s]+(\\s[^\\s]+)*$': textKind.code,
  '^[A-Za-z0-9\\-\\.]{1,64}$': textKind.id,
};
/** Dates are written in ASCII letters, digits and signs alone. */
const kindsByFormat: Readonly<Record<string, TextKind>> = {
  'fhir-reference': textKind.reference,
  'fhir-date': textKind.date,
  'fhir-dateTime': textKind.dateTime,
  'fhir-instant': textKind.instant,
};

/** @returns the kind of a pattern and a format of the definitions (each undefined where there is none), `none` where none is known */
export function textKindOf(pattern: string | undefined, format: string | undefined): TextKind {
  if (format !== undefined) return pattern === undefined ? (kindsByFormat[format] ?? textKind.none) : textKind.none;
  return pattern === undefined ? textKind.text : (kindsByPattern[pattern] ?? textKind.none);
}

/** Texts that were passed, the last one of each length: records name the same few code systems and words again and again. */
export type PassedTexts = string[];

const longestRemembered = 100;

export function noPassedTexts(): PassedTexts {
  return Array.from({ length: longestRemembered + 1 }, () => '');
}

/**
 * A check that is much faster than pattern and format, and stricter: what it passes has them, is not empty, and holds
 * neither control characters nor halves of characters. One function for all kinds, so that each check is compiled into it.
 */
export function isCertainText(kind: TextKind, text: string, passed: PassedTexts): boolean {
  switch (kind) {
    case textKind.uri:
      return isRemembered(text, passed) || (isVisible(text) && remember(text, passed));
    case textKind.code:
      return isVisible(text);
    case textKind.text:
      return isText(text);
    case textKind.id:
      return isIdBetween(text, 0, text.length);
    case textKind.reference:
      return isUsualReference(text);
    case textKind.dateTime:
      return isFhirDateTime(text);
    case textKind.instant:
      return isFhirInstant(text);
    case textKind.date:
      return isFhirDate(text);
    default:
      return false;
  }
}

function isRemembered(text: string, passed: PassedTexts): boolean {
  return text.length > 0 && text.length <= longestRemembered && passed[text.length] === text;
}

function remember(text: string, passed: PassedTexts): true {
  if (text.length <= longestRemembered) passed[text.length] = text;
  return true;
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
