import { PredictionError } from '../../platform/errors.ts';
import { type MemberPageKey, type MemberSort, memberSorts } from '../../runs/member-pages.ts';
import { type MemberState, memberStates } from '../../runs/run.ts';
import { isUuid, type RunPageKey } from '../../runs/run-table.ts';

const defaultCount = 50;
const maximumCount = 1_000;
const formats = ['json', 'csv', 'ndjson'] as const;

export interface RunListQuery {
  readonly count: number;
  readonly after?: RunPageKey;
}

export interface MemberListQuery {
  readonly states?: readonly MemberState[];
  readonly sort: MemberSort;
  readonly format: (typeof formats)[number];
  /** A page's size; csv and ndjson have no pages. */
  readonly count: number;
  readonly after?: MemberPageKey;
}

/** The query of `GET /runs`. Throws PARAMETER_INVALID. */
export function parseRunListQuery(url: string): RunListQuery {
  const given = parametersOf(url, ['_count', '_page']);
  const page = given.get('_page');
  return { count: countOf(given), ...(page === undefined ? {} : { after: runKey(page) }) };
}

/** The query of `GET /runs/{id}/members`. Throws PARAMETER_INVALID. */
export function parseMemberListQuery(url: string): MemberListQuery {
  const given = parametersOf(url, ['state', 'sort', 'format', '_count', '_page']);
  const sort = oneOf('sort', given.get('sort') ?? 'subject', memberSorts);
  const format = oneOf('format', given.get('format') ?? 'json', formats);
  if (format !== 'json' && (given.has('_count') || given.has('_page')))
    throw refused(
      given.has('_page') ? '_page' : '_count',
      `is not for ${format}, which gives all members at once: leave it out.`,
    );
  const states = given
    .get('state')
    ?.split(',')
    .map((state) => oneOf('state', state, memberStates));
  const page = given.get('_page');
  return {
    sort,
    format,
    count: countOf(given),
    ...(states === undefined ? {} : { states: [...new Set(states)] }),
    ...(page === undefined ? {} : { after: memberKey(page, sort) }),
  };
}

export function runPageToken({ createdAt, id }: RunPageKey): string {
  return encode([createdAt.toISOString(), id]);
}

/** A token holds within one order only. */
export function memberPageToken({ subject, focus, score }: MemberPageKey, sort: MemberSort): string {
  if (focus !== undefined) return encode([sort, subject, score ?? null, focus]);
  return encode(score === undefined ? [sort, subject] : [sort, subject, score]);
}

function runKey(token: string): RunPageKey {
  const [created, id] = decode(token);
  // A year of four digits, as tokens have it: what JavaScript takes beyond, the database does not.
  const shaped = typeof created === 'string' && /^[1-9]\d{3}-\d{2}-\d{2}T[\d:.]{12}Z$/.test(created);
  const createdAt = new Date(shaped ? created : Number.NaN);
  if (Number.isNaN(createdAt.getTime()) || typeof id !== 'string' || !isUuid(id)) throw badToken();
  return { createdAt, id };
}

function memberKey(token: string, wanted: MemberSort): MemberPageKey {
  const [sort, subject, score = null, focus] = decode(token);
  const scored = typeof score === 'number' && Number.isFinite(score);
  if (sort !== wanted || !isKept(subject) || !(scored || score === null) || !(focus === undefined || isKept(focus)))
    throw badToken();
  return { subject, ...(focus === undefined ? {} : { focus }), ...(scored ? { score } : {}) };
}

function isKept(text: unknown): text is string {
  return typeof text === 'string' && !text.includes('\0');
}

function parametersOf(url: string, allowed: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(url.split('?')[1] ?? '')) {
    if (name === '_format' || name === '_pretty') continue; // of every route
    if (!allowed.includes(name)) throw refused(name.slice(0, 64), `unknown here; allowed are ${allowed.join(', ')}.`);
    if (given.has(name)) throw refused(name, 'may be given once.');
    given.set(name, value);
  }
  return given;
}

function countOf(given: ReadonlyMap<string, string>): number {
  const value = given.get('_count') ?? String(defaultCount);
  if (!/^[1-9]\d{0,8}$/.test(value)) throw refused('_count', 'must be a whole number of at least 1.');
  return Math.min(Number(value), maximumCount);
}

function oneOf<const T extends string>(name: string, value: string, values: readonly T[]): T {
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw refused(name, `must be one of ${values.join(', ')}.`);
  return found;
}

function encode(parts: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function decode(token: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(parts)) return parts;
  } catch (cause) {
    throw badToken(cause);
  }
  throw badToken();
}

function badToken(cause?: unknown): PredictionError {
  const error = refused('_page', 'is no page of this list: follow next as it was given, or start again without _page.');
  return new PredictionError(error.code, error.message, { issues: error.issues, cause });
}

function refused(name: string, what: string): PredictionError {
  const message = `${name} ${what}`;
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'value', message, expression: `http.${name}` }],
  });
}
