import type { ErrorRequestHandler } from 'express';
import { describeError } from '../../http/error-response.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import { PredictionError } from '../../platform/errors.ts';

/** Answers every error below /v2 as the protocol has it: the status, and `{"error": "…"}` with all that there is to say. */
export const protocolError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
  const context = requestContext(response);
  const { status, retryAfterSeconds, outcome } = describeError(error, context.requestId);
  context.errorCode = error instanceof PredictionError ? error.code : 'INTERNAL';
  context.logger.event({ name: 'request.failed', status, error });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  request.resume();
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
  const texts = outcome.issue.map(({ diagnostics, details }) => diagnostics ?? details?.text ?? '');
  sendJson(response, status, { error: texts.filter((text) => text !== '').join(' ') });
};
