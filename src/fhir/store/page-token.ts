import { PredictionError } from '../../platform/errors.ts';
import type { SortKey } from './parse-search.ts';

/** Where a page ended: the last resource's sort values and its id. A time is given in seconds since 1970. */
export interface PageKey {
  readonly values: readonly string[];
  readonly id: string;
}

/** Writes the end of a page as the opaque text of a `next` link. It holds only within the same order. */
export function pageToken(sort: readonly SortKey[], key: PageKey): string {
  return Buffer.from(JSON.stringify([signatureOf(sort), key.id, ...key.values])).toString('base64url');
}

/** Reads a page's token. Throws PARAMETER_INVALID where it is not one of this server for this order. */
export function parsePageToken(token: string, sort: readonly SortKey[]): PageKey {
  const parts = decoded(token);
  const [signature, id, ...values] = parts;
  const valid =
    signature === signatureOf(sort) &&
    id !== undefined &&
    values.length === sort.length &&
    sort.every(
      ({ parameter }, index) => !isTime(parameter) || /^(-?Infinity|-?\d{1,12}(\.\d{1,6})?)$/.test(values[index] ?? ''),
    );
  if (!valid || parts.some((part) => part.includes('\0'))) throw invalidToken();
  return { id, values };
}

/** True for a parameter that sorts by time. */
export function isTime(parameter: string): boolean {
  return parameter === 'date' || parameter === 'started' || parameter === '_lastUpdated';
}

function decoded(token: string): string[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && parts.every((part) => typeof part === 'string')) return parts;
  } catch (cause) {
    throw invalidToken(cause);
  }
  throw invalidToken();
}

function signatureOf(sort: readonly SortKey[]): string {
  return sort.map(({ parameter, descending }) => `${descending ? '-' : ''}${parameter}`).join(',');
}

function invalidToken(cause?: unknown): PredictionError {
  const message =
    '_page is not the page of this search: follow the next link as it was given, or start again without _page.';
  return new PredictionError('PARAMETER_INVALID', message, { issues: [{ message, expression: 'http._page' }], cause });
}
