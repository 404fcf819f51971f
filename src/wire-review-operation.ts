import { operationDefinition } from './entrances/fhir-operation/operation-definition.ts';
import type { ReviewOperation } from './entrances/fhir-operation/review-routes.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { reviewReportOf } from './prediction/review.ts';
import type { House } from './wire.ts';

/** `$review` of a house. */
export function reviewOperationOf(house: House, { tenant, maxBodyMb }: Config, clock: Clock): ReviewOperation {
  const { repository, validator, sealing, fhirBase, prediction, writeReview } = house;
  const parts = {
    tenant,
    clock,
    readReport: (id: string) => repository.readResource('DiagnosticReport', id),
    writeReview,
    ...(sealing.values && { cipher: sealing.values }),
    event: prediction.event,
  };
  return {
    definition: operationDefinition('review'),
    maxBodyBytes: maxBodyMb * 1_000_000,
    fhirBase,
    validate: (resource) => validator.validate(resource),
    review: (request) => reviewReportOf(parts, request),
  };
}
