import type { Identifier, ImagingStudy, Patient } from '@medplum/fhirtypes';
import type { ClinicalRecord } from '../../records/clinical-record.ts';
import { localReference } from '../../records/local-reference.ts';
import type { ImageAttributes } from '../dicom/image-attributes.ts';
import { NoImage } from '../image-reading.ts';

/** Which Patient.identifier the PatientID of an issuer is; without an issuer, of images that name none. */
export interface PatientIdentifier {
  readonly issuer?: string;
  readonly system: string;
}

/** What an image says of whose it is. */
export type Owner = Pick<ImageAttributes, 'patientId' | 'issuerOfPatientId' | 'otherPatientIds' | 'accessionNumber'>;

/** Throws NoImage `study-of-another-patient`, with the attribute and never its value. */
export type OwnerCheck = (owner: Owner) => void;

/**
 * Checks of each image that it is the subject's own: its PatientID, read by its issuer as an identifier of one system, is an
 * identifier of the Patient; and its accession number, where both have one, is one of the study. An identifier without a system, or of
 * another one, proves nothing: the same number is another person elsewhere.
 */
export function compileOwnerCheck(
  { patient, subject, byType }: Pick<ClinicalRecord, 'patient' | 'subject' | 'byType'>,
  study: ImagingStudy,
  patientIdentifiers: readonly PatientIdentifier[],
): OwnerCheck {
  const systems = new Map<string | undefined, string[]>();
  for (const { issuer, system } of patientIdentifiers) systems.set(issuer, [...(systems.get(issuer) ?? []), system]);
  const requests = (study.basedOn ?? []).flatMap(({ reference, identifier }) => {
    const local = localReference(reference, subject);
    const found = byType('ServiceRequest').filter(({ id }) => local !== undefined && id === local.id);
    return [...(identifier === undefined ? [] : [identifier]), ...found.flatMap((one) => one.identifier ?? [])];
  });
  const accessions = accessionsOf([...(study.identifier ?? []), ...requests]);
  const checked = new Set<string>();
  return (owner) => {
    // Thousands of images of one study say the same.
    const said = JSON.stringify([
      owner.patientId,
      owner.issuerOfPatientId,
      owner.otherPatientIds,
      owner.accessionNumber,
    ]);
    if (checked.has(said)) return;
    checkPatient(owner, patient, systems);
    const { accessionNumber } = owner;
    if (accessionNumber !== undefined && accessions.size > 0 && !accessions.has(accessionNumber.trim()))
      throw another('AccessionNumber (0008,0050) is none that the ImagingStudy or what it is based on has');
    checked.add(said);
  };
}

function checkPatient(
  { patientId, issuerOfPatientId, otherPatientIds }: Owner,
  patient: Patient,
  systems: ReadonlyMap<string | undefined, readonly string[]>,
): void {
  if (patientId === undefined) throw another('an image has no PatientID (0010,0020)');
  const isOf = (id: string, issuer: string | undefined): boolean | undefined => {
    const known = systems.get(issuer);
    if (known === undefined) return undefined;
    return (patient.identifier ?? []).some(
      ({ system, value }) => system !== undefined && known.includes(system) && value?.trim() === id,
    );
  };
  const own = isOf(patientId, issuerOfPatientId);
  if (own === true) return;
  if (own === false) throw another('PatientID (0010,0020) is no identifier of the subject');
  // One by an issuer that is not known here decides nothing; another one may.
  const others = otherPatientIds.map(({ id, issuer }) => (issuer === undefined ? undefined : isOf(id, issuer)));
  if (others.includes(true) && !others.includes(false)) return;
  const which = issuerOfPatientId === undefined ? 'images without an issuer' : 'the issuer of the images';
  throw another(
    `IssuerOfPatientID (0010,0021): patientIdentifiers of IMAGING_FILE has no entry for ${which}, so PatientID decides nothing`,
  );
}

/** Values of the identifiers that are accession numbers (HL7 v2 table 0203). */
function accessionsOf(identifiers: readonly Identifier[]): ReadonlySet<string> {
  const isAccession = ({ type }: Identifier): boolean =>
    (type?.coding ?? []).some(
      ({ system, code }) => system === 'http://terminology.hl7.org/CodeSystem/v2-0203' && code === 'ACSN',
    );
  return new Set(identifiers.filter(isAccession).flatMap(({ value }) => value?.trim() ?? []));
}

function another(what: string): NoImage {
  return new NoImage('study-of-another-patient', `whose images they are is not proven: ${what}`);
}
