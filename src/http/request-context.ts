import type { Response } from 'express';
import type { ErrorCode } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { EntryAccess } from './finished-request.ts';
import type { Principal } from './principal.ts';

/** What the middleware knows about a request, for the routes behind it. */
export interface RequestContext {
  readonly requestId: string;
  readonly logger: Logger;
  /** Who asks. */
  principal: Principal;
  /** The media type of the answer, without its charset. */
  contentType: string;
  pretty: boolean;
  /** The pattern of the route that answered, for the log: never the path itself. */
  route?: string;
  /** Why the request was refused, or failed. */
  errorCode?: ErrorCode;
  /** What the entries of a Bundle came to; absent for any other request. */
  entries?: readonly EntryAccess[];
  /** Logical id of the Patient that what was read or written is about. */
  subject?: string;
  /** Search parameters that came as a form in the body. */
  form?: string;
  /** True for one of many refusals of the same caller, of which the first of each minute stands for all in the access log. */
  isRepeatedRefusal?: true;
  /**
   * To be told that nobody was proved, by whoever asks for a proof: not where it could not be checked. Throws RATE_LIMITED where
   * tokens that do not hold came too often from where this one came. Absent: nobody counts.
   */
  onFailedProof?: (came: 'token' | 'no-token') => void;
  /** Bytes of the body that were read. */
  requestBytes: number;
}

export function setRequestContext(response: Response, context: RequestContext): void {
  response.locals.context = context;
}

/** The context of the request that `response` answers; the app sets it before any route. */
export function requestContext(response: Response): RequestContext {
  const { context } = response.locals as { context?: RequestContext };
  if (!context) throw new Error('The request has no context: the route is mounted outside createApp');
  return context;
}
