import type { Parameters } from '@medplum/fhirtypes';
import type { Request, Response } from 'express';
import { PredictionError } from '../../platform/errors.ts';

/** The operations of this server, by their codes. */
export type OperationCode = 'predict' | 'review';

/**
 * OP-6: an operation that changes state takes POST only.
 * @param changes what it changes: `can store its result`
 */
export function refuseOtherMethods(request: Request, response: Response, code: OperationCode, changes: string): void {
  if (request.method === 'POST') return;
  response.setHeader('Allow', 'POST');
  request.resume();
  throw new PredictionError('METHOD_NOT_ALLOWED', `$${code} ${changes}, so it takes POST only, not ${request.method}.`);
}

/** OP-8, OP-12: parameters in the URL are refused, not dropped. */
export function refuseQuery(request: Request, code: OperationCode): void {
  if (!request.url.includes('?')) return;
  const name = [...new URLSearchParams(request.url.split('?')[1] ?? '').keys()].find(
    (key) => key !== '_format' && key !== '_pretty',
  );
  if (name === undefined) return;
  if (name === '_outputFormat') throw noBulkAnswer(code);
  const message = `$${code} takes its parameters in the body, not in the URL ('${name.slice(0, 64)}'): send a Parameters resource.`;
  throw new PredictionError('PARAMETER_INVALID', message, { issues: [{ code: 'invalid', message }] });
}

/** OP-53: `_outputFormat` asks for the answer of bulk data. */
function noBulkAnswer(code: OperationCode): PredictionError {
  const message =
    code === 'predict'
      ? '$predict is answered with a Bundle, also asynchronously, and never with files: leave _outputFormat out.'
      : `$${code} is answered with a resource, and never with files: leave _outputFormat out.`;
  return new PredictionError('PARAMETER_INVALID', message, { issues: [{ code: 'not-supported', message }] });
}

export function isEmpty(request: Request): boolean {
  return request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0;
}

/** OP-7, OP-9: an empty body has no parameters; a body that is not Parameters is refused by name. */
export function parametersOf(body: unknown, code: OperationCode): Parameters {
  if (body === undefined) return { resourceType: 'Parameters' };
  const type = typeof body === 'object' && body !== null && 'resourceType' in body ? body.resourceType : undefined;
  if (type === 'Parameters') return body as Parameters;
  const found = typeof type === 'string' ? `a ${type}` : 'not a FHIR resource';
  const message = `$${code} takes a Parameters resource; the body is ${found}.`;
  throw new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'invalid', message, expression: 'resourceType' }],
  });
}
