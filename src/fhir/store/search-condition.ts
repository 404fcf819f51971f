import { isFhirDate, parseFhirDate } from '../date-time.ts';
import { canonicalReference, isFhirId, parseRelativeReference } from '../reference.ts';
import { refused, type SearchFilter, shown } from './parse-search.ts';
import { definitionElements, endpointReferences, patientElements } from './search-parameters.ts';
import type { StoreContext } from './store-context.ts';

/** Collects the values of a statement and gives back their places ($1, $2, …). */
export type Bind = (value: unknown) => string;

/** One filter as an SQL condition on `resources`. Throws PARAMETER_INVALID where a value is malformed. */
export function searchCondition(context: StoreContext, filter: SearchFilter, bind: Bind): string {
  const { parameter, values } = filter;
  switch (parameter) {
    case '_id':
      return `id = any(${bind(values.map((value) => plainId(value)))}::text[])`;
    case 'identifier':
      return `identifiers && ${bind(values.map((value) => token(parameter, value)))}::text[]`;
    case 'code':
      return `codes && ${bind(values.map((value) => token(parameter, value)))}::text[]`;
    case 'category':
    case 'modality':
      return `categories && ${bind(values.map((value) => token(parameter, value)))}::text[]`;
    case 'status':
      return `status = any(${bind(values.map((value) => bareCode(parameter, value)))}::text[])`;
    case 'encounter':
      return `encounter = any(${bind(values.map((value) => reference(context, parameter, value)))}::text[])`;
    case 'patient':
    case 'subject':
    case 'member':
    case 'target':
      return `patients && ${bind(values.map((value) => reference(context, parameter, value)))}::text[]`;
    case 'date':
    case 'started':
      return anyOf(values.map((value) => dateCondition(context, parameter, value, bind, 'date_start', 'date_end')));
    case 'endpoint': {
      const wanted = values.map((value) => reference(context, parameter, value));
      // Kept as it was written: relative, or below the base of this server.
      return `${endpointReferences} && ${bind(wanted.flatMap((one) => [one, `${context.baseUrl}/${one}`]))}::text[]`;
    }
    case 'gender':
      return `${patientElements.gender} = any(${bind(values.map((value) => oneOf(parameter, value, genders)))}::text[])`;
    case 'active':
    case 'deceased':
      return `${patientElements[parameter]} = any(${bind(values.map((value) => oneOf(parameter, value, flags)))}::text[])`;
    case 'url':
      return `${definitionElements.url} = any(${bind(values.map((value) => canonicalUrl(value)))}::text[])`;
    case 'value': {
      const starts = (value: string) => `starts_with(lower(one->>'value'), lower(${bind(unescaped(value))}::text))`;
      return `exists (select 1 from ${definitionElements.uniqueIds} one where ${anyOf(values.map(starts))})`;
    }
    case 'birthdate':
      return anyOf(values.map((value) => birthDateCondition(parameter, value, bind)));
    case '_lastUpdated': {
      const end = `last_updated + interval '1 millisecond'`;
      return anyOf(values.map((value) => dateCondition(context, parameter, value, bind, 'last_updated', end)));
    }
  }
}

function anyOf(conditions: readonly string[]): string {
  return `(${conditions.join(' or ')})`;
}

function plainId(value: string): string {
  if (isFhirId(value)) return value;
  throw refused('_id', `_id '${shown(value)}' is not an id: 1 to 64 letters, digits, dashes and dots.`);
}

function bareCode(name: string, value: string): string {
  if (!value.includes('|')) return unescaped(value);
  throw refused(name, `${name} takes the bare code, as in ${name}=final, not '${shown(value)}'.`);
}

const genders = ['male', 'female', 'other', 'unknown'] as const;
const flags = ['true', 'false'] as const;

/** No resource can hold any other value: asked for one, the answer would be nothing, as if nobody were like that. */
function oneOf(name: string, value: string, allowed: readonly string[]): string {
  if (allowed.includes(value)) return value;
  throw refused(name, `${name} takes ${allowed.join(', ')}, not '${shown(value)}'.`);
}

/** Compared as it stands; a version in it would match nothing. */
function canonicalUrl(value: string): string {
  const url = unescaped(value);
  if (!url.includes('|')) return url;
  throw refused(
    'url',
    `url takes a canonical URL without its version, not '${shown(value)}': leave out what follows the |.`,
  );
}

/** `system|code`, `|code` (no system), `system|` (any code) or `code` (any system), as the index stores them. */
function token(name: string, value: string): string {
  const bars = value.replace(/\\[\s\S]/g, '').split('|').length - 1;
  if (bars > 1 || value === '|')
    throw refused(name, `${name} takes code, system|code, |code or system|, not '${shown(value)}'.`);
  return bars === 0 ? `=${unescaped(value)}` : unescaped(value);
}

function unescaped(value: string): string {
  return value.replace(/\\([\\,|$])/g, '$1');
}

const bareTypes: Readonly<Record<string, string | undefined>> = {
  patient: 'Patient',
  encounter: 'Encounter',
  endpoint: 'Endpoint',
};

function reference(context: StoreContext, name: string, value: string): string {
  const type = bareTypes[name];
  if (isFhirId(value)) {
    if (type !== undefined) return `${type}/${value}`;
    throw refused(name, `${name} needs the type with the id, as in ${name}=Patient/${shown(value)}.`);
  }
  const canonical = canonicalReference(value, context.baseUrl, type ?? 'Patient');
  const local = canonical === undefined ? undefined : parseRelativeReference(canonical);
  const fits = local
    ? type === undefined || local.type === type
    : canonical !== undefined && /^[a-z][a-z0-9+.-]*:\S+$/i.test(canonical);
  if (canonical !== undefined && fits) return canonical;
  throw refused(
    name,
    `${name} takes ${type ? 'an id, ' : ''}${type ?? 'Type'}/id or an absolute URL, not '${shown(value)}'.`,
  );
}

/** Compares intervals as FHIR does: the search value is [from, to), the resource's is [start, end). */
function dateCondition(
  context: StoreContext,
  name: string,
  value: string,
  bind: Bind,
  start: string,
  end: string,
): string {
  const { prefix, text } = prefixed(value);
  const interval = parseFhirDate(text.replace(/ (?=\d\d:\d\d$)/, '+'), context.timeZone);
  if (!interval) {
    throw refused(
      name,
      `${name} takes a date or time that exists, as ge2024-05-01 or 2024-05-01T10:00:00Z, not '${shown(value)}'.`,
    );
  }
  // Bound only where used: a statement may have no value without a place.
  return compared(name, prefix, {
    start,
    end,
    from: () => `${bind(interval.start)}::timestamptz`,
    to: () => `${bind(interval.end)}::timestamptz`,
  });
}

/**
 * A date of birth is a stretch of the calendar, without a time zone, and is compared as text: the first day of the year,
 * the month or the day that is given, and the first text behind its last. Every month ends with a 31st for that.
 */
function birthDateCondition(name: string, value: string, bind: Bind): string {
  const { prefix, text } = prefixed(value);
  if (!isFhirDate(text)) {
    throw refused(name, `${name} takes a date that exists, as le1960-01-31, 1960-01 or 1960, not '${shown(value)}'.`);
  }
  return compared(name, prefix, {
    ...birthDateBounds,
    from: () => `${bind(`${text}${'-01-01'.slice(text.length - 4)}`)}::text`,
    to: () => `${bind(`${lastDay(text)}~`)}::text`,
  });
}

const birthDate = patientElements.birthDate;
/** The first day of a date of birth, and what lies behind its last one. */
export const birthDateBounds = {
  start: `${birthDate} || substr('-01-01', length(${birthDate}) - 3)`,
  end: `${birthDate} || substr('-12-31', length(${birthDate}) - 3) || '~'`,
} as const;

/** The last day, as a 31st also where the month is shorter and the text names its last day. */
function lastDay(text: string): string {
  if (text.length < 10) return `${text}${'-12-31'.slice(text.length - 4)}`;
  const next = `${text.slice(0, 8)}${String(Number(text.slice(8)) + 1).padStart(2, '0')}`;
  return isFhirDate(next) ? text : `${text.slice(0, 8)}31`;
}

function prefixed(value: string): { readonly prefix: string; readonly text: string } {
  const [, prefix = 'eq', text = ''] = /^([a-z]{2})?(.*)$/s.exec(value) ?? [];
  return { prefix, text };
}

/** SQL for the ends of two intervals; `from` and `to` bind their value at each call. */
interface Compared {
  readonly start: string;
  readonly end: string;
  readonly from: () => string;
  readonly to: () => string;
}

function compared(name: string, prefix: string, { start, end, from, to }: Compared): string {
  const within = () => `(${start} >= ${from()} and ${end} <= ${to()})`;
  switch (prefix) {
    case 'eq':
      return within();
    case 'ne':
      return `not ${within()}`;
    case 'gt':
      return `${end} > ${to()}`;
    case 'lt':
      return `${start} < ${from()}`;
    case 'ge':
      return `(${end} > ${to()} or ${within()})`;
    case 'le':
      return `(${start} < ${from()} or ${within()})`;
    case 'sa':
      return `${start} >= ${to()}`;
    case 'eb':
      return `${end} <= ${from()}`;
    default:
      throw refused(name, `${name} knows the prefixes eq, ne, gt, lt, ge, le, sa and eb, not '${prefix}'.`);
  }
}
