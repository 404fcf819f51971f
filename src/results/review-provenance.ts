import type { CodeableConcept, Provenance } from '@medplum/fhirtypes';
import { artificialIntelligence } from './canonical-urls.ts';
import { fhirDateTime } from './duration.ts';
import type { ReportReview } from './review-report.ts';

/** What the Provenance of a reviewed report says. */
export interface ReviewProvenanceRequest {
  /** `DiagnosticReport/[id]/_history/[version]`: the version that the review made. */
  readonly target: string;
  /** The version that was read. */
  readonly revised: string;
  readonly review: ReportReview;
  /** `Device/[id]` of the model version that made what was read. */
  readonly deviceReference: string;
  readonly timeZone: string;
  /** Labels of the report, but for AIAST, which is about what a model made. */
  readonly security: NonNullable<Provenance['meta']>['security'];
}

/**
 * Who reviewed a report, and when (PRV-1): the verifier is the person, the author stays the Device of the model, and what was read is
 * the version that gives way, whose own Provenance says of what it was made (PRV-2).
 */
export function buildReviewProvenance(request: ReviewProvenanceRequest): Provenance {
  const { review, security = [] } = request;
  return {
    resourceType: 'Provenance',
    ...(security.length === 0 ? {} : { meta: { security } }),
    target: [{ reference: request.target }],
    occurredDateTime: fhirDateTime(review.at, request.timeZone),
    recorded: review.at.toISOString(),
    agent: [
      { type: participant('verifier'), who: { reference: review.reviewer } as Provenance['agent'][number]['who'] },
      {
        type: participant('author'),
        role: [{ coding: [artificialIntelligence] }],
        who: { reference: request.deviceReference },
      },
    ],
    entity: [{ role: 'revision', what: { reference: request.revised } }],
  };
}

function participant(code: 'verifier' | 'author'): CodeableConcept {
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code }] };
}
