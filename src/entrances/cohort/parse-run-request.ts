import { instantRange } from '../../fhir/instant-range.ts';
import { type ErrorIssue, PredictionError } from '../../platform/errors.ts';
import { sincePattern } from '../../runs/changed-since.ts';
import type { Cohort, RunRequest } from '../../runs/run.ts';

const allowed = ['model', 'version', 'cohort', 'asOf', 'writeBack', 'explain'] as const;
const longest = 2_000;

type Given = Readonly<Record<string, unknown>>;
type Refuse = (expression: string, message: string) => undefined;

/**
 * What `POST /runs` and `fhirsight run` ask for. Throws PARAMETER_INVALID with an issue for everything that is wrong,
 * each with its place in the body.
 */
export function parseRunRequest(body: unknown, timeZone: string): RunRequest {
  const issues: ErrorIssue[] = [];
  const refuse: Refuse = (expression, message) => {
    issues.push({ code: 'value', message: `${expression}: ${message}`, expression });
    return undefined;
  };
  if (!isObject(body)) throw refused([{ message: 'A run is asked for by a JSON object with model and cohort.' }]);
  for (const name of Object.keys(body)) {
    if (!(allowed as readonly string[]).includes(name))
      refuse(name.slice(0, 64), `unknown; allowed are ${allowed.join(', ')}.`);
  }
  const model = text(body, 'model', refuse);
  if (body.model === undefined) refuse('model', 'missing; send the id of a model of GET /models.');
  const version = text(body, 'version', refuse);
  const cohort = cohortOf(body.cohort, refuse);
  const asOf = asOfIn(body, timeZone, refuse);
  const writeBack = flag(body, 'writeBack', refuse);
  const explain = flag(body, 'explain', refuse);
  if (issues.length > 0 || model === undefined || cohort === undefined) throw refused(issues);
  return {
    model,
    cohort,
    ...(version === undefined ? {} : { version }),
    ...(asOf === undefined ? {} : { asOf }),
    ...(writeBack === undefined ? {} : { writeBack }),
    ...(explain === undefined ? {} : { explain }),
  };
}

function cohortOf(value: unknown, refuse: Refuse): Cohort | undefined {
  const forms =
    '{"all": true}, {"group": "Group/…"}, {"search": "Patient?…"} or {"search": "ImagingStudy?…", "since": "P1D"}';
  if (!isObject(value)) return refuse('cohort', `${value === undefined ? 'missing' : 'no object'}; send ${forms}.`);
  const { since } = value;
  const names = Object.keys(value).filter((name) => name !== 'since');
  const [name = ''] = names;
  if (names.length !== 1 || !['all', 'group', 'search'].includes(name))
    return refuse('cohort', `must be exactly one of ${forms}.`);
  if (since !== undefined && name !== 'search')
    return refuse('cohort.since', 'is for a search on ImagingStudy. Leave it out.');
  if (name === 'all') return value.all === true ? { all: true } : refuse('cohort.all', 'must be true.');
  const given = value[name];
  if (typeof given !== 'string' || given === '' || given.length > longest)
    return refuse(`cohort.${name}`, `must be a text of 1 to ${longest} characters.`);
  if (name === 'group') return { group: given };
  if (since === undefined) return { search: given };
  return typeof since === 'string' && new RegExp(sincePattern).test(since)
    ? { search: given, since }
    : refuse('cohort.since', 'must be a duration of days, weeks or hours: P1D, P2W or PT12H.');
}

function asOfIn(body: Given, timeZone: string, refuse: Refuse): Date | undefined {
  const value = body.asOf;
  if (value === undefined) return undefined;
  const range = typeof value === 'string' && value.length >= 10 ? instantRange(value, timeZone) : undefined;
  if (range === undefined)
    return refuse(
      'asOf',
      'must be a date (2026-03-01: the end of that day) or a dateTime with a zone (2026-03-01T08:00:00Z).',
    );
  return new Date(String(value).length === 10 ? range.end - 1 : range.start);
}

function text(body: Given, name: string, refuse: Refuse): string | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value)) return value;
  return refuse(name, 'must be a text of 1 to 128 characters without spaces.');
}

function flag(body: Given, name: string, refuse: Refuse): boolean | undefined {
  const value = body[name];
  if (value === undefined || typeof value === 'boolean') return value;
  return refuse(name, 'must be true or false.');
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(issues: readonly ErrorIssue[]): PredictionError {
  return new PredictionError('PARAMETER_INVALID', issues.map(({ message }) => message).join(' '), { issues });
}
