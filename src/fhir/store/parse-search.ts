import { PredictionError } from '../../platform/errors.ts';
import { type PageKey, parsePageToken } from './page-token.ts';
import { resultParameters, type SearchParameter, searchParametersOf } from './search-parameters.ts';

/** One parameter as given: any of its values must hold. Repeated parameters become several filters, all of which must. */
export interface SearchFilter {
  readonly parameter: SearchParameter;
  readonly values: readonly string[];
}

export interface SortKey {
  readonly parameter: SearchParameter;
  readonly descending: boolean;
}

export interface ParsedSearch {
  readonly type: string;
  readonly filters: readonly SearchFilter[];
  readonly sort: readonly SortKey[];
  readonly count: number;
  /** The exact number of matches is asked for. */
  readonly total: boolean;
  /** Only the number of matches is asked for. */
  readonly countOnly: boolean;
  /** Where the page before ended. */
  readonly after?: PageKey;
  /** The parameters that were understood, as they stand in the self link; without the page. */
  readonly query: readonly (readonly [string, string])[];
}

export const defaultCount = 50;
export const maximumCount = 1000;

/**
 * Reads the parameters of a search on one type. What is not understood is refused, never left out: a filter that is
 * ignored returns too much, and nobody notices. Throws PARAMETER_INVALID, naming the parameter and what is allowed.
 */
export function parseSearch(type: string, parameters: Iterable<readonly [string, string]>): ParsedSearch {
  const allowed = searchParametersOf(type);
  const filters: SearchFilter[] = [];
  const query: [string, string][] = [];
  const once = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (value.includes('\0')) throw refused(name, `${shown(name)} holds a character that no value of FHIR can hold.`);
    if (name === '_page' || (resultParameters as readonly string[]).includes(name)) {
      if (once.has(name)) throw refused(name, `${name} may be given once.`);
      once.set(name, value);
      if (name !== '_page' && name !== '_count') query.push([name, value]);
    } else {
      const parameter = allowed.find((candidate) => candidate === name);
      if (!parameter) throw unknownParameter(type, name, allowed);
      filters.push({ parameter, values: splitValues(name, value) });
      query.push([name, value]);
    }
  }
  const sort = parseSort(type, once.get('_sort'), allowed);
  const count = parseCount(once.get('_count'));
  if (once.has('_count')) query.push(['_count', String(count)]);
  const page = once.get('_page');
  return {
    type,
    filters,
    sort,
    count,
    total: parseTotal(once.get('_total')),
    countOnly: parseSummary(once.get('_summary')) || count === 0,
    ...(page === undefined ? {} : { after: parsePageToken(page, sort) }),
    query,
  };
}

/** `_count` as a number from 0 to 1,000; 50 where it is not given. */
export function parseCount(value: string | undefined): number {
  if (value === undefined) return defaultCount;
  if (!/^\d{1,9}$/.test(value))
    throw refused('_count', `_count must be a whole number of at least 0, not '${shown(value)}'.`);
  return Math.min(Number(value), maximumCount);
}

function parseSort(type: string, value: string | undefined, allowed: readonly SearchParameter[]): SortKey[] {
  if (value === undefined) return [];
  return value.split(',').map((rule) => {
    const descending = rule.startsWith('-');
    const parameter = allowed.find((candidate) => candidate === (descending ? rule.slice(1) : rule));
    if (parameter) return { parameter, descending };
    const message = `_sort of ${type} knows no '${shown(rule)}'; allowed are ${allowed.join(', ')}, each with - in front for descending.`;
    throw refused('_sort', message);
  });
}

function parseTotal(value: string | undefined): boolean {
  if (value === undefined || value === 'none') return false;
  if (value === 'accurate') return true;
  throw refused('_total', `_total must be none or accurate, not '${shown(value)}': this server does not estimate.`);
}

function parseSummary(value: string | undefined): boolean {
  if (value === undefined || value === 'false') return false;
  if (value === 'count') return true;
  throw refused('_summary', `_summary must be count or false, not '${shown(value)}': resources are returned whole.`);
}

/** Splits at commas that no backslash escapes. */
function splitValues(name: string, value: string): string[] {
  const values = [''];
  for (const [piece] of value.matchAll(/\\?[\s\S]/g)) {
    if (piece === ',') values.push('');
    else values.push(`${values.pop()}${piece}`);
  }
  if (values.some((part) => part.trim() === ''))
    throw refused(name, `${name} has an empty value; leave the parameter out instead.`);
  return values.map((part) => part.trim());
}

function unknownParameter(type: string, name: string, allowed: readonly string[]): PredictionError {
  const base = name.split(/[:.]/)[0] ?? name;
  const known = base !== name && allowed.includes(base);
  const reason = known
    ? `Modifiers and chains are not supported: '${shown(name)}' of ${type} must be plain '${base}'.`
    : `${type} has no search parameter '${shown(name)}' on this server.`;
  return refused(name, `${reason} Allowed are ${[...allowed, ...resultParameters].join(', ')}.`);
}

export function refused(name: string, message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ message, expression: `http.${shown(name)}` }],
  });
}

/** What the caller sent, short enough to be repeated in a message. */
export function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
