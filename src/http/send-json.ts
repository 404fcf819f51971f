import type { Response } from 'express';
import { requestContext } from './request-context.ts';
import { sendText } from './send-resource.ts';

/** Plain JSON; what is undefined is left out. */
export function sendJson(response: Response, status: number, body: unknown): void {
  const { pretty } = requestContext(response);
  sendText(response, status, JSON.stringify(body, undefined, pretty ? 2 : undefined), 'application/json');
}
