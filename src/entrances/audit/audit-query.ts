import { parseFhirDate } from '../../fhir/date-time.ts';
import { belowBase, isFhirId, parseRelativeReference } from '../../fhir/reference.ts';
import { resourceTypes } from '../../fhir/resource-types.ts';
import { pageToken, parsePageToken } from '../../fhir/store/page-token.ts';
import { parseCount, refused, shown } from '../../fhir/store/parse-search.ts';
import type {
  OutcomeCondition,
  PredictionLogQuery,
  SubjectName,
  UserName,
  WrittenResult,
} from '../../monitoring/prediction-log.ts';
import type { PredictionRow } from '../../monitoring/prediction-row.ts';
import type { AccessLogQuery, AccessOutcome } from '../../monitoring/read-access-log.ts';
import { type Entrance, entrances } from '../../prediction/prediction-request.ts';
import { callersCodes, failuresCodes } from './audit-outcome.ts';
import { fhirBaseSpellings } from './fhir-base-spellings.ts';
import { isRest } from './is-rest.ts';

/** What a search on AuditEvent takes, as the CapabilityStatement lists it. */
export const auditSearchParameters = [
  { name: '_id', type: 'token' },
  { name: 'action', type: 'token', documentation: 'C, R, U, D, or E: a search, an operation, a prediction.' },
  {
    name: 'agent',
    type: 'reference',
    documentation: 'Who asked: Practitioner/17 here, or the absolute URL that agent.who shows.',
  },
  { name: 'date', type: 'date', documentation: 'AuditEvent.recorded' },
  {
    name: 'entity',
    type: 'reference',
    documentation:
      'Patient/17: the subject. RiskAssessment/17, or any other type: the stored result, or what was read or written.',
  },
  { name: 'outcome', type: 'token', documentation: '0 for results and abstentions, 4, 8 or 12 for failures.' },
  { name: 'patient', type: 'reference', documentation: 'The subject: an id or Patient/17 here, or an absolute URL.' },
  {
    name: 'subtype',
    type: 'token',
    documentation:
      'The interaction (read, search-type, create, …), or of a prediction its entrance: fhir-operation, cds-hooks, cohort, subscription or command-line.',
  },
] as const;

const resultParameters = ['_sort', '_count', '_page', '_format', '_pretty'];

export interface AuditSearch {
  readonly query: PredictionLogQuery;
  /** The same of the access log. */
  readonly accesses: AccessLogQuery;
  /** The parameters that were understood, as they stand in links; without the page. */
  readonly given: readonly (readonly [string, string])[];
}

export interface AuditBases {
  /** Bases under which resources of this server are known. */
  readonly own: readonly string[];
  /** IANA zone of dates without one. */
  readonly timeZone: string;
}

/**
 * Reads a search on AuditEvent. What is not understood is refused: a filter that is ignored shows too much. Values with
 * commas between are alternatives; a parameter that is repeated narrows, for dates, and is refused for the others.
 * Throws PARAMETER_INVALID.
 */
export function parseAuditSearch(parameters: Iterable<readonly [string, string]>, bases: AuditBases): AuditSearch {
  const given: [string, string][] = [];
  const once = new Map<string, string>();
  const recorded: { from?: Date; before?: Date }[] = [];
  for (const [name, value] of parameters) {
    if (/\p{Cc}/u.test(value)) throw refused(name, `${shown(name)} holds a character that no value of FHIR can hold.`);
    if (name === '_format' || name === '_pretty') continue;
    if (name === 'date') recorded.push(dateRange(value, bases.timeZone));
    else if (!resultParameters.includes(name) && !auditSearchParameters.some((known) => known.name === name))
      throw unknownParameter(name);
    else if (once.has(name)) throw refused(name, `${name} may be given once; alternatives have commas between them.`);
    else once.set(name, value);
    if (name !== '_page' && name !== '_count') given.push([name, value]);
  }
  const newestFirst = parseSort(once.get('_sort'));
  const count = parseCount(once.get('_count'));
  if (count === 0) throw refused('_count', 'AuditEvents are not counted: _count must be at least 1.');
  if (once.has('_count')) given.push(['_count', String(count)]);
  const both = {
    ...listed('_id', once, (values) => ({ ids: values.filter(isUuid) })),
    ...listed('patient', once, (values) => ({ subjects: values.map((value) => subjectName(value, bases)) })),
    ...listed('agent', once, (values) => ({ users: values.map((value) => userName(value, bases)) })),
    recorded,
    newestFirst,
    count,
    ...afterPage(once.get('_page'), newestFirst),
  };
  const entity = listed('entity', once, (values) => touched(values, bases));
  const outcomes = listed('outcome', once, (values) => values.map(outcomeCode));
  const actions = listed('action', once, (values) => values.map(actionCode));
  const subtypes = listed('subtype', once, (values) => values.map(subtypeCode));
  const predicts = actions === undefined || actions.includes('E');
  return {
    given,
    query: {
      ...both,
      ...(entity && { touching: { subjects: entity.subjects, written: entity.resources.filter(isResult) } }),
      ...(outcomes && { outcomes: outcomes.map((code) => outcomeConditions[code]) }),
      ...((subtypes || !predicts) && { entrances: predicts ? entrancesOf(subtypes ?? []) : [] }),
    },
    accesses: {
      ...both,
      ...(entity && { touching: { ...entity, own: bases.own } }),
      ...(outcomes && { outcomes }),
      ...(actions && { actions }),
      ...(subtypes && { interactions: subtypes }),
    },
  };
}

/** The `_page` of the rows behind `last`. */
export function pageAfter(last: Pick<PredictionRow, 'recorded' | 'id'>, newestFirst: boolean): string {
  return pageToken(sortOf(newestFirst), { values: [(last.recorded.getTime() / 1000).toFixed(3)], id: last.id });
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function listed<Part>(
  name: string,
  once: ReadonlyMap<string, string>,
  read: (values: string[]) => Part,
): Part | undefined {
  const given = once.get(name);
  if (given === undefined) return undefined;
  const values = given.split(',').map((value) => value.trim());
  if (values.includes('')) throw refused(name, `${name} has an empty value; leave the parameter out instead.`);
  return read(values);
}

function subjectName(value: string, { own }: AuditBases, name = 'patient'): SubjectName {
  const local = isFhirId(value) && name === 'patient' ? { type: 'Patient', id: value } : localReference(value, own);
  if (local?.type === 'Patient') return { bases: own, id: local.id };
  const [, base, id] = /^([a-z][a-z0-9+.-]*:\S+)\/Patient\/([A-Za-z0-9\-.]{1,64})$/i.exec(value) ?? [];
  if (base !== undefined && id !== undefined && local === undefined) return { bases: fhirBaseSpellings(base), id };
  const bare = name === 'patient' ? 'an id, ' : '';
  const other = name === 'entity' ? 'another Type/id of this server, ' : '';
  throw refused(
    name,
    `${name} takes ${bare}Patient/id, ${other}or an absolute URL of a Patient, not '${shown(value)}'.`,
  );
}

interface Touched {
  readonly subjects: readonly SubjectName[];
  readonly resources: readonly { readonly type: string; readonly id: string }[];
}

function touched(values: readonly string[], bases: AuditBases): Touched {
  const subjects: SubjectName[] = [];
  const resources: { type: string; id: string }[] = [];
  for (const value of values) {
    const local = localReference(value, bases.own);
    if (local !== undefined && local.type !== 'Patient' && resourceTypes.has(local.type))
      resources.push({ type: local.type, id: local.id });
    else subjects.push(subjectName(value, bases, 'entity'));
  }
  return { subjects, resources };
}

function isResult(resource: { readonly type: string; readonly id: string }): resource is WrittenResult {
  return resource.type === 'RiskAssessment' || resource.type === 'Observation';
}

/** Practitioner/17 of this server is somebody else than Practitioner/17 of another one. */
function userName(value: string, { own }: AuditBases): UserName {
  const local = localReference(value, own);
  if (local !== undefined && local.type !== 'Device') return { bases: own, reference: `${local.type}/${local.id}` };
  if (local === undefined && /^[a-z][a-z0-9+.-]*:\S+$/i.test(value)) {
    const [, base, reference] = /^(\S+)\/([A-Z][A-Za-z]{1,63}\/[A-Za-z0-9\-.]{1,64})$/.exec(value) ?? [];
    const at =
      base === undefined || reference === undefined ? { bases: [] } : { bases: fhirBaseSpellings(base), reference };
    return { ...at, absolute: value };
  }
  throw refused('agent', `agent takes who asked, as Practitioner/id, or an absolute URL, not '${shown(value)}'.`);
}

function localReference(value: string, own: readonly string[]): { type: string; id: string } | undefined {
  for (const base of own) {
    const below = belowBase(value, base);
    if (below !== undefined) return parseRelativeReference(below);
  }
  return parseRelativeReference(value);
}

const outcomeConditions: Readonly<Record<AccessOutcome, OutcomeCondition>> = {
  '0': { failed: false },
  '4': { failed: true, codes: callersCodes },
  '12': { failed: true, codes: failuresCodes },
  '8': { failed: true, notCodes: [...callersCodes, ...failuresCodes] },
};

function outcomeCode(value: string): AccessOutcome {
  const code = value.replace(/^(http:\/\/hl7\.org\/fhir\/audit-event-outcome)?\|/, '');
  if (Object.hasOwn(outcomeConditions, code)) return code as AccessOutcome;
  throw refused('outcome', `outcome takes 0, 4, 8 or 12, not '${shown(value)}'.`);
}

function actionCode(value: string): string {
  const code = value.replace(/^(http:\/\/hl7\.org\/fhir\/audit-event-action)?\|/, '');
  if (/^[CRUDE]$/.test(code)) return code;
  throw refused('action', `action takes C, R, U, D or E, not '${shown(value)}'.`);
}

function subtypeCode(value: string): string {
  const code = value.replace(/^[^|]*\|/, '');
  if (/^[a-z-]{1,32}$/.test(code)) return code;
  throw refused('subtype', `subtype takes an interaction, such as read, or an entrance, not '${shown(value)}'.`);
}

/** `operation` is the interaction of those that come by REST. */
function entrancesOf(subtypes: readonly string[]): readonly Entrance[] {
  const isOperation = subtypes.includes('operation');
  return entrances.filter((entrance) => subtypes.includes(entrance) || (isOperation && isRest(entrance)));
}

/** A row is recorded at one millisecond: it lies in the interval of the search value, before it or behind it. */
function dateRange(value: string, timeZone: string): { from?: Date; before?: Date } {
  const [, prefix = 'eq', text = ''] = /^([a-z]{2})?(.*)$/s.exec(value) ?? [];
  const interval = parseFhirDate(text.replace(/ (?=\d\d:\d\d$)/, '+'), timeZone);
  if (interval === undefined) {
    throw refused(
      'date',
      `date takes one date or time that exists, as ge2024-05-01 or 2024-05-01T10:00:00Z, not '${shown(value)}'.`,
    );
  }
  switch (prefix) {
    case 'eq':
      return { from: interval.start, before: interval.end };
    case 'ge':
      return { from: interval.start };
    case 'gt':
    case 'sa':
      return { from: interval.end };
    case 'lt':
    case 'eb':
      return { before: interval.start };
    case 'le':
      return { before: interval.end };
    default:
      throw refused('date', `date knows the prefixes eq, gt, lt, ge, le, sa and eb here, not '${prefix}'.`);
  }
}

function parseSort(value: string | undefined): boolean {
  if (value === undefined || value === '-date') return true;
  if (value === 'date') return false;
  throw refused('_sort', `_sort of AuditEvent must be -date (the default) or date, not '${shown(value)}'.`);
}

function afterPage(token: string | undefined, newestFirst: boolean): Pick<PredictionLogQuery, 'after'> {
  if (token === undefined) return {};
  const { values, id } = parsePageToken(token, sortOf(newestFirst));
  const recorded = new Date(Math.round(Number(values[0]) * 1000));
  if (Number.isNaN(recorded.getTime()) || !isUuid(id))
    throw refused('_page', '_page is not a page of this search: follow the next link as it was given.');
  return { after: { recorded, id } };
}

function sortOf(newestFirst: boolean) {
  return [{ parameter: 'date', descending: newestFirst } as const];
}

function unknownParameter(name: string) {
  const allowed = [...auditSearchParameters.map((known) => known.name), ...resultParameters];
  return refused(
    name,
    `AuditEvent has no search parameter '${shown(name)}' on this server. Allowed are ${allowed.join(', ')}.`,
  );
}
