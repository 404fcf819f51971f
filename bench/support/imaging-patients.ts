import type { Resource } from '@medplum/fhirtypes';

/** Issuer and identifier system of the patients of `picture-pacs.ts`. */
export const issuer = 'BENCH';
const system = 'https://example.org/bench';

/** Of the study with this number, from 0. */
export const studyUidOf = (number: number): string => `2.25.4711.${number}`;
export const patientIdOf = (number: number): string => `BENCH-${number}`;
export const patientOf = (number: number): string => `imaged-${number}`;

/** A patient and the study of it that lies in the PACS, which began an hour ago. */
export function imagedPatient(number: number, now: Date): Resource[] {
  const patient = patientOf(number);
  const uid = studyUidOf(number);
  const modality = { system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CR' };
  return [
    { resourceType: 'Patient', id: patient, identifier: [{ system, value: patientIdOf(number) }] },
    {
      resourceType: 'ImagingStudy',
      id: patient,
      identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${uid}` }],
      status: 'available',
      subject: { reference: `Patient/${patient}` },
      started: new Date(now.getTime() - 3_600_000).toISOString(),
      numberOfSeries: 1,
      numberOfInstances: 1,
      series: [{ uid: `${uid}.1`, modality, numberOfInstances: 1 }],
    },
  ];
}

/** What IMAGING_FILE says of the PACS, whose base is given. */
export function imagingFile(base: string): unknown {
  return {
    servers: { pacs: { url: base } },
    default: 'pacs',
    quietPeriodSeconds: 0,
    patientIdentifiers: [{ issuer, system }],
  };
}
