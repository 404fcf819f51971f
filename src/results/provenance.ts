import type { Provenance } from '@medplum/fhirtypes';
import type { SourceReference } from '../features/feature-vector.ts';
import { type Confidentiality, confidentialityLabel } from '../records/confidentiality.ts';
import { aiAsserted, artificialIntelligence } from './canonical-urls.ts';
import { fhirDateTime } from './duration.ts';
import { distinctSources, toReference } from './source-reference.ts';

/** What the Provenance of a stored result says. */
export interface ProvenanceRequest {
  /** `RiskAssessment/[id]/_history/[version]`: the version that the model made. */
  readonly target: string;
  /** The version of a report that it takes the place of. */
  readonly revised?: string;
  readonly deviceReference: string;
  readonly computedAt: Date;
  /** When the Provenance is recorded. */
  readonly recorded: Date;
  readonly timeZone: string;
  readonly basis: readonly SourceReference[];
  /** Of what it was made of; absent where no resource says it. */
  readonly confidentiality?: Confidentiality;
}

/** Who made a result, when and of what, in the shape of the AI-Provenance profile (PRV-1, PRV-2, AIT-4). */
export function buildProvenance(request: ProvenanceRequest): Provenance {
  const entity = [
    ...(request.revised === undefined ? [] : [{ role: 'revision' as const, what: { reference: request.revised } }]),
    ...distinctSources(request.basis).map((source) => ({ role: 'source' as const, what: toReference(source) })),
  ];
  return {
    resourceType: 'Provenance',
    meta: {
      profile: ['http://hl7.org/fhir/uv/aitransparency/StructureDefinition/AI-Provenance'],
      ...(request.confidentiality === undefined ? {} : { security: [confidentialityLabel(request.confidentiality)] }),
    },
    target: [{ reference: request.target }],
    occurredDateTime: fhirDateTime(request.computedAt, request.timeZone),
    recorded: request.recorded.toISOString(),
    reason: [{ coding: [aiAsserted] }],
    agent: [
      {
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'author' }],
        },
        role: [{ coding: [artificialIntelligence] }],
        who: { reference: request.deviceReference },
      },
    ],
    ...(entity.length === 0 ? {} : { entity }),
  };
}
