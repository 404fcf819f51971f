import type { OperationDefinition, Resource } from '@medplum/fhirtypes';
import { type Request, Router } from 'express';
import { isFhirId } from '../../fhir/reference.ts';
import { parseIfMatch } from '../../fhir/store/fhir-router.ts';
import { unknownResource } from '../../fhir/store/read-resource.ts';
import { requireData } from '../../http/access/fhir-data.ts';
import { requirePermission } from '../../http/access/permissions.ts';
import { preferredReturn } from '../../http/content-negotiation.ts';
import type { Principal } from '../../http/principal.ts';
import { readPlainJsonBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { subjectIdOf } from '../../http/subject-id-of.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ReviewRequest } from '../../prediction/review.ts';
import { isEmpty, parametersOf, refuseOtherMethods, refuseQuery } from './operation-call.ts';
import { reviewFromParameters } from './review-request.ts';
import { sendResult } from './send-result.ts';

const atReport = /^\/DiagnosticReport\/([^/]+)\/\$review\/?$/;

export interface ReviewOperation {
  /** Parsed from this definition, and served under it. */
  readonly definition: OperationDefinition;
  readonly maxBodyBytes: number;
  /** Absolute FHIR base of the own store, where the reports lie. */
  readonly fhirBase: string;
  /** Throws RESOURCE_INVALID for what is not base R4. */
  readonly validate: (resource: unknown) => void;
  /** @returns the report as it is now */
  readonly review: (request: ReviewRequest) => Promise<Resource>;
}

/**
 * `$review` of a DiagnosticReport: a person confirms or rejects what a model said. Mounted before the routes of `$predict`, which refuse every
 * operation that they do not know. OP-6: it changes state, so POST only.
 */
export function reviewRoutes(operation: ReviewOperation): Router {
  const router = Router();
  router.all(atReport, async (request, response) => {
    requestContext(response).route = `${request.baseUrl}/DiagnosticReport/:id/$review`;
    refuseOtherMethods(request, response, 'review', 'changes a report');
    const { principal } = requestContext(response);
    authorise(request, principal);
    refuseQuery(request, 'review');
    const asked = await reviewOf(operation, request, principal);
    const report = await operation.review(asked);
    const subject = subjectIdOf(report);
    if (subject !== undefined) requestContext(response).subject = subject;
    sendResult(response, report, preferredReturn(request.get('Prefer')), operation.fhirBase);
  });
  return router;
}

/** Whoever reviews must be able to read a report and to change it. */
function authorise(request: Request, principal: Principal): void {
  try {
    requirePermission(principal, 'reports.review');
    requireData(
      principal,
      (['r', 'u'] as const).map((interaction) => ({ type: 'DiagnosticReport', interaction })),
      undefined,
    );
  } catch (error) {
    request.resume();
    throw error;
  }
}

async function reviewOf(
  { definition, maxBodyBytes, fhirBase, validate }: ReviewOperation,
  request: Request,
  principal: Principal,
): Promise<ReviewRequest> {
  const reportId = (request.params as Record<string, string>)[0] ?? '';
  const body = isEmpty(request) ? undefined : await readPlainJsonBody(request, maxBodyBytes);
  if (!isFhirId(reportId)) throw unknownResource('DiagnosticReport of this id');
  const readVersion = parseIfMatch(request.get('If-Match'));
  if (readVersion === undefined) throw withoutVersion();
  const parameters = parametersOf(body, 'review');
  if (body !== undefined) validate(parameters);
  return { reportId, readVersion, ...reviewFromParameters(definition, parameters, { principal, fhirBase }) };
}

function withoutVersion(): PredictionError {
  return new PredictionError(
    'VERSION_REQUIRED',
    '$review needs If-Match with the ETag of the version that was read, as W/"1": nobody confirms what they have not read.',
  );
}
