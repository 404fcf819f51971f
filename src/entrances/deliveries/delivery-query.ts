import { PredictionError } from '../../platform/errors.ts';

const states = ['pending', 'sending', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof states)[number];

const parameters = ['sink', 'state', '_count', '_page'] as const;
const defaultCount = 100;
const maximumCount = 1_000;

/** What `GET /deliveries` asks for. */
export interface DeliveryQuery {
  readonly sink?: string;
  readonly state?: DeliveryState;
  readonly count: number;
  readonly after?: { readonly sink: string; readonly identifier: string };
}

/** Throws PARAMETER_INVALID. */
export function parseDeliveryQuery(url: string): DeliveryQuery {
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(url.split('?')[1] ?? '')) {
    if (name === '_format' || name === '_pretty') continue; // of every route
    if (!(parameters as readonly string[]).includes(name))
      throw refused(name.slice(0, 64), `is unknown here; allowed are ${parameters.join(', ')}.`);
    if (given.has(name)) throw refused(name, 'may be given once.');
    given.set(name, value);
  }
  const sink = given.get('sink');
  if (sink !== undefined && !/^[a-z0-9-]{1,40}$/.test(sink)) throw refused('sink', 'must be the name of a sink.');
  const page = given.get('_page');
  return {
    count: countOf(given.get('_count') ?? String(defaultCount)),
    ...(sink === undefined ? {} : { sink }),
    ...stateOf(given.get('state')),
    ...(page === undefined ? {} : { after: pageKey(page) }),
  };
}

export function deliveryPageToken({
  sink,
  identifier,
}: {
  readonly sink: string;
  readonly identifier: string;
}): string {
  return Buffer.from(JSON.stringify([sink, identifier])).toString('base64url');
}

function stateOf(given: string | undefined): Pick<DeliveryQuery, 'state'> {
  if (given === undefined) return {};
  const state = states.find((candidate) => candidate === given);
  if (state === undefined) throw refused('state', `must be one of ${states.join(', ')}.`);
  return { state };
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw refused('_count', 'must be a whole number of at least 1.');
  return Math.min(Number(text), maximumCount);
}

function pageKey(token: string): { readonly sink: string; readonly identifier: string } {
  const [sink, identifier] = decoded(token);
  const printable = /^[\x20-\x7e]+$/;
  if (
    typeof sink !== 'string' ||
    typeof identifier !== 'string' ||
    !printable.test(sink) ||
    !printable.test(identifier)
  )
    throw badToken();
  return { sink, identifier };
}

function decoded(token: string): unknown[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw badToken();
  }
  if (!Array.isArray(parts)) throw badToken();
  return parts;
}

function badToken(): PredictionError {
  return refused('_page', 'is no page of this list: follow next as it was given, or start again without _page.');
}

function refused(name: string, what: string): PredictionError {
  const message = `${name} ${what}`;
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'value', message, expression: `http.${name}` }],
  });
}
