import type { ErrorCode } from '../platform/errors.ts';
import type { Principal } from './principal.ts';

/** A request that was answered, or whose caller went away: for whoever keeps account of it. */
export interface FinishedRequest {
  readonly requestId: string;
  readonly principal: Principal;
  readonly method: string;
  /** Path and query below the app as they came: they may hold anything. */
  readonly url: string;
  /** The pattern of the route that answered. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  /** Why it was refused, or failed. */
  readonly errorCode?: ErrorCode;
  /** True for one of many refusals of the same caller in a minute: the first of them has a row. */
  readonly isRepeatedRefusal?: true;
  /** The URL of what was created or updated. */
  readonly location?: string;
  /** Logical id of the Patient that what was read or written is about, where it is about one. */
  readonly subject?: string;
  /** Search parameters that came as a form. */
  readonly form?: string;
  /** Of a Bundle: one for each entry. */
  readonly entries?: readonly EntryAccess[];
}

/** What one entry of a batch or transaction came to. */
export interface EntryAccess {
  readonly method: string;
  /** As the entry names it, relative to the base. */
  readonly url: string;
  readonly status: number;
  /** What was stored, relative to the base. */
  readonly location?: string;
  /** As of the whole request. */
  readonly subject?: string;
}
