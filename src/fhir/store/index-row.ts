import type { Resource } from '@medplum/fhirtypes';
import { type Interval, parseFhirDate } from '../date-time.ts';
import { canonicalReference } from '../reference.ts';
import { searchElements } from './search-parameters.ts';

/** The columns by which a resource is found. `patients` of a Provenance are all its targets. Times are instants; an open end of an interval is undefined. */
export interface IndexRow {
  readonly patients: readonly string[];
  readonly encounter?: string;
  readonly date?: Interval;
  readonly status?: string;
  readonly codes: readonly string[];
  readonly categories: readonly string[];
  readonly identifiers: readonly string[];
}

type Json = Record<string, unknown>;

/**
 * Reads the search columns out of a resource.
 *
 * A token is stored three times: `system|code` (`|code` without a system), `=code` for a search that names
 * no system, and `system|` for one that names no code. Codes of a contained Medication are stored as `#system|code`:
 * base R4's `code` does not see them, `findResources` does.
 */
export function indexRow(resource: Resource, baseUrl: string, timeZone: string): IndexRow {
  const elements = searchElements[resource.resourceType] ?? {};
  const read = (paths: readonly string[] = []) => paths.flatMap((path) => valuesAt(resource, path));
  const subjects = new Set([...(elements.patient ?? []), ...(elements.subject ?? []), ...(elements.member ?? [])]);
  const references = (values: unknown[], type: string) =>
    values.flatMap((value) => canonicalReference(textOf(asJson(value).reference) ?? '#', baseUrl, type) ?? []);
  return {
    patients: [...new Set(references(read([...subjects]), 'Patient'))],
    encounter: references(read(elements.encounter), 'Encounter')[0],
    date: firstDate(resource, elements.date ?? elements.started ?? [], timeZone),
    status: read(elements.status)
      .map(textOf)
      .find((status) => status !== undefined),
    codes: [...new Set([...read(elements.code).flatMap(tokens), ...containedMedicationCodes(resource)])],
    categories: [...new Set(read(elements.category ?? elements.modality).flatMap(tokens))],
    identifiers: [...new Set(read(elements.identifier).flatMap(tokens))],
  };
}

/** Everything at a dotted path; arrays on the way are entered, `name[x]` takes whichever type is there. */
function valuesAt(resource: Resource, path: string): unknown[] {
  let found: unknown[] = [resource];
  for (const segment of path.split('.')) {
    const choice = segment.endsWith('[x]') ? new RegExp(`^${segment.slice(0, -3)}[A-Z]`) : undefined;
    found = found.flatMap((value) => {
      const json = asJson(value);
      const next = choice ? Object.keys(json).find((key) => choice.test(key)) : segment;
      return next === undefined || json[next] === undefined ? [] : json[next];
    });
  }
  return found.filter((value) => value !== null);
}

/** A CodeableConcept, Coding, Identifier, ContactPoint or code as the tokens it is found by. */
function tokens(value: unknown): string[] {
  if (typeof value === 'string') return [`|${value}`, `=${value}`];
  const json = asJson(value);
  if (Array.isArray(json.coding)) return json.coding.flatMap(tokens);
  const code = textOf(json.code) ?? textOf(json.value);
  const system = textOf(json.system) ?? '';
  if (code === undefined) return [];
  return system === '' ? [`|${code}`, `=${code}`] : [`${system}|${code}`, `=${code}`, `${system}|`];
}

function containedMedicationCodes(resource: Resource): string[] {
  const { medicationReference, contained } = resource as unknown as { medicationReference?: Json; contained?: Json[] };
  const fragment = textOf(medicationReference?.reference);
  if (!fragment?.startsWith('#')) return [];
  const medication = contained?.find((candidate) => `#${textOf(candidate.id)}` === fragment);
  return tokens(medication?.code).map((token) => `#${token}`);
}

function firstDate(resource: Resource, paths: readonly string[], timeZone: string): Interval | undefined {
  for (const path of paths) {
    for (const value of valuesAt(resource, path)) {
      const interval = intervalOf(value, timeZone);
      if (interval) return interval;
    }
  }
  return undefined;
}

/** A date, a Period, or the events and bounds of a Timing. Ages and free text are no dates. */
function intervalOf(value: unknown, timeZone: string): Interval | undefined {
  if (typeof value === 'string') return parseFhirDate(value, timeZone);
  const json = asJson(value);
  if (Array.isArray(json.event)) return hull(json.event.flatMap((event) => intervalOf(event, timeZone) ?? []));
  if (json.repeat !== undefined) return intervalOf(asJson(asJson(json.repeat).boundsPeriod), timeZone);
  const start = parseFhirDate(textOf(json.start) ?? '', timeZone)?.start;
  const end = parseFhirDate(textOf(json.end) ?? '', timeZone)?.end;
  return start || end ? { start, end } : undefined;
}

function hull(intervals: Interval[]): Interval | undefined {
  if (intervals.length === 0) return undefined;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { start, end } of intervals) {
    first = Math.min(first, start?.getTime() ?? Number.NEGATIVE_INFINITY);
    last = Math.max(last, end?.getTime() ?? Number.POSITIVE_INFINITY);
  }
  return { start: new Date(first), end: new Date(last) };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function asJson(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}
