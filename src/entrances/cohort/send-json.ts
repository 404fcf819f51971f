import type { Response } from 'express';
import { requestContext } from '../../http/request-context.ts';

/** Plain JSON; what is undefined is left out. */
export function sendJson(response: Response, status: number, body: unknown): void {
  const { pretty } = requestContext(response);
  response.status(status).setHeader('Content-Type', 'application/json; charset=utf-8');
  response.send(JSON.stringify(body, undefined, pretty ? 2 : undefined));
}
