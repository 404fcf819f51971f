import type { Resource } from '@medplum/fhirtypes';

const own = 'https://fhirsight.org/fhir';

interface Token {
  readonly system?: string;
  readonly value?: string;
}

/** What is looked at to tell the resources of this server from those that it was given. */
interface Marked {
  readonly identifier?: readonly Token[] | Token;
  readonly subtype?: readonly { readonly system?: string }[];
  readonly agent?: readonly {
    readonly type?: { readonly coding?: readonly { readonly code?: string }[] };
    readonly role?: readonly { readonly coding?: readonly { readonly code?: string }[] }[];
  }[];
  readonly type?: { readonly coding?: readonly { readonly code?: string }[] };
}

/** Canonical URL of the profile that a resource of this server has to follow; undefined for one of anybody else. */
export function profileOf(resource: Resource): string | undefined {
  const { identifier, subtype, agent, type } = resource as unknown as Marked;
  const isOf = (system: string): boolean =>
    Array.isArray(identifier) && identifier.some((each) => each.system === `${own}/NamingSystem/${system}`);
  const profile = (name: string): string => `${own}/StructureDefinition/${name}`;
  switch (resource.resourceType) {
    case 'RiskAssessment':
      // One inside of a report has an outcome behind its identifier, and no label of its own (dom-5).
      return isOf('prediction') && isHash(identifier) ? profile('ai-risk-assessment') : undefined;
    case 'Observation':
      // One that a sink got in the place of a RiskAssessment has an outcome behind its identifier.
      return isOf('prediction') && isHash(identifier) ? profile('ai-observation') : undefined;
    case 'DiagnosticReport':
      return isOf('prediction') && isHash(identifier) ? profile('ai-diagnostic-report') : undefined;
    case 'Device':
      return isOf('model') ? profile('model-device') : undefined;
    case 'Provenance':
      if (agent?.some(({ type }) => holds(type, 'verifier'))) return profile('review-provenance');
      return agent?.some(({ role }) => holds(role?.[0], 'Artificial-Intelligence'))
        ? profile('ai-provenance')
        : undefined;
    case 'DocumentReference':
      return holds(type, 'AIModelCard') ? profile('ai-model-card') : undefined;
    case 'AuditEvent':
      return subtype?.some(({ system }) => system === `${own}/CodeSystem/entrance`)
        ? profile('prediction-audit-event')
        : undefined;
    default:
      return undefined;
  }
}

function isHash(identifiers: Marked['identifier']): boolean {
  return Array.isArray(identifiers) && identifiers.some(({ value }) => /^[0-9a-f]{64}$/.test(value));
}

function holds(concept: Marked['type'], code: string): boolean {
  return concept?.coding?.some((coding) => coding.code === code) === true;
}
