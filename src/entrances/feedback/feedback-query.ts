import { instantRange } from '../../fhir/instant-range.ts';
import { PredictionError } from '../../platform/errors.ts';

const formats = ['ndjson', 'csv'] as const;
const subjects = ['cards', 'reports'] as const;

export interface FeedbackPeriod {
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
}

/** What `GET /cds-feedback` asks for. */
export interface FeedbackQuery extends FeedbackPeriod {
  /** Answers to CDS Hooks cards, or reviews of reports. */
  readonly of: (typeof subjects)[number];
  readonly format: (typeof formats)[number];
  /** Whether what clinicians wrote is wanted too: it may name a patient. */
  readonly comments: boolean;
}

/** @param timeZone IANA zone of the site, in which a day begins. Throws PARAMETER_INVALID. */
export function parseFeedbackQuery(url: string, timeZone: string): FeedbackQuery {
  const given = parametersOf(url, ['from', 'to', 'of', 'format', 'comments']);
  const about = given.get('of') ?? 'cards';
  const of = subjects.find((candidate) => candidate === about);
  if (of === undefined) throw refused('of', `must be one of ${subjects.join(', ')}.`);
  const format = given.get('format') ?? 'ndjson';
  const found = formats.find((candidate) => candidate === format);
  if (found === undefined) throw refused('format', `must be one of ${formats.join(', ')}.`);
  const comments = given.get('comments') ?? 'exclude';
  if (comments !== 'include' && comments !== 'exclude') throw refused('comments', 'must be include or exclude.');
  return { ...periodOf(given, timeZone), of, format: found, comments: comments === 'include' };
}

/** @param timeZone IANA zone of the site, in which a day begins. Throws PARAMETER_INVALID. */
export function parseRatesQuery(url: string, timeZone: string): FeedbackPeriod {
  return periodOf(parametersOf(url, ['from', 'to']), timeZone);
}

function periodOf(given: ReadonlyMap<string, string>, timeZone: string): FeedbackPeriod {
  const [from, to] = (['from', 'to'] as const).map((name) => {
    const text = given.get(name);
    if (text === undefined) throw refused(name, 'is needed: a day or an instant, such as 2026-03-01.');
    const start = /^\d{4}-\d{2}-\d{2}/.test(text) ? instantRange(text, timeZone)?.start : undefined;
    const at = new Date(start ?? Number.NaN);
    const year = at.getUTCFullYear();
    if (!(year >= 1900 && year <= 2200)) throw refused(name, 'must be a day or an instant, such as 2026-03-01.');
    return at;
  }) as [Date, Date];
  if (from >= to) throw refused('to', 'must be after from; it is exclusive.');
  return { from, to };
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

function refused(name: string, what: string): PredictionError {
  const message = `${name} ${what}`;
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'value', message, expression: `http.${name}` }],
  });
}
