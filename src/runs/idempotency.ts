import { createHash } from 'node:crypto';
import type { RunRequest } from './run.ts';

/** A key that repeats of one request share; two owners may use the same one. */
export interface IdempotencyKey {
  /** Key of the principal that asks, or `schedule`. */
  readonly owner: string;
  readonly key: string;
}

/** What is kept of a key: whoever reads the database cannot send it, and learns nothing of what a caller made it from. */
export function keptKey({ owner, key }: IdempotencyKey): string {
  return sha256(`key\n${owner}\n${key}`);
}

/**
 * What is kept of the request itself, to tell a repeat from another one, however its properties were ordered. The key is in it: a
 * search for one record number could be guessed from a hash of the request alone.
 */
export function keptRequest({ key }: IdempotencyKey, request: RunRequest): string {
  const { model, version, cohort, asOf, writeBack, explain } = request;
  const asked = [model, version ?? null, cohort, asOf?.toISOString() ?? null, writeBack ?? true, explain ?? true];
  return sha256(`request\n${key}\n${sha256(JSON.stringify(asked))}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
