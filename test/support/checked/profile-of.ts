import type { Resource } from '@medplum/fhirtypes';

const own = 'https://fhirsight.org/fhir';

/** What is looked at to tell the resources of this server from those that it was given. */
interface Marked {
  readonly identifier?: readonly { readonly system?: string }[] | { readonly system?: string };
  readonly subtype?: readonly { readonly system?: string }[];
  readonly agent?: readonly {
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
      return isOf('prediction') ? profile('ai-risk-assessment') : undefined;
    case 'Observation':
      return isOf('prediction') ? profile('ai-observation') : undefined;
    case 'Device':
      return isOf('model') ? profile('model-device') : undefined;
    case 'Provenance':
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

function holds(concept: Marked['type'], code: string): boolean {
  return concept?.coding?.some((coding) => coding.code === code) === true;
}
