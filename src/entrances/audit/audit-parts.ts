import type { AuditEvent, AuditEventAgent, Coding, Reference } from '@medplum/fhirtypes';
import { parseRelativeReference } from '../../fhir/reference.ts';

export type Agent = NonNullable<AuditEventAgent['who']>;

export interface AuditFrame {
  /** The FHIR base of this server. */
  readonly fhirBase: string;
  /** Bases that name resources of this server, this one or earlier ones. */
  readonly own: readonly string[];
}

export const dicom = 'http://dicom.nema.org/resources/ontology/DCM';
export const interactions = 'http://hl7.org/fhir/restful-interaction';
export const restType: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  code: 'rest',
  display: 'RESTful Operation',
};
export const person: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type',
  code: '1',
  display: 'Person',
};
export const systemObject: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type',
  code: '2',
  display: 'System Object',
};

export function objectRole(code: string, display: string): Coding {
  return { system: 'http://terminology.hl7.org/CodeSystem/object-role', code, display };
}

/** This server, which has written the account. */
export function auditSource(tenant: string, { fhirBase }: AuditFrame): AuditEvent['source'] {
  return {
    site: tenant,
    observer: thisServer(fhirBase),
    type: [
      {
        system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
        code: '4',
        display: 'Application Server',
      },
    ],
  };
}

export function thisServer(fhirBase: string): Agent {
  return { identifier: { system: 'urn:ietf:rfc:3986', value: fhirBase }, display: 'fhirsight' };
}

export function humanUser(user: string, base: string | null, frame: AuditFrame): AuditEventAgent {
  return {
    type: coded('http://terminology.hl7.org/CodeSystem/extra-security-role-type', 'humanuser', 'human user'),
    ...(isPerson(user) ? { who: placed(user, base, frame) as Agent } : { altId: user }),
    requestor: true,
  };
}

/** What base R4 lets stand for who acts: a reference below a base, or an absolute URL. */
function isPerson(user: string): boolean {
  return /^(https?:\/\/\S+\/)?(Practitioner|PractitionerRole|Patient|RelatedPerson|Organization)\/[A-Za-z0-9\-.]{1,64}$/.test(
    user,
  );
}

/** A reference of the subject's server, as it must be written on this one. */
export function placed(reference: string, base: string | null, { own: ownBases }: AuditFrame): Reference {
  const relative = parseRelativeReference(reference);
  if (relative === undefined || base === null || ownBases.includes(base)) return { reference };
  if (/^https?:/.test(base)) return { reference: `${base}/${reference}` };
  return { type: relative.type as NonNullable<Reference['type']>, identifier: { system: base, value: relative.id } };
}

export function coded(system: string, code: string, display: string): AuditEventAgent['type'] {
  return { coding: [{ system, code, display }] };
}
