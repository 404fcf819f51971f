import type { Endpoint, ImagingStudy } from '@medplum/fhirtypes';

/** A study of Patient/1 that is available, with one series of one chest radiograph. */
export function imagingStudy(rest: Partial<ImagingStudy> = {}): ImagingStudy {
  return {
    resourceType: 'ImagingStudy',
    id: 's1',
    meta: { lastUpdated: '2026-01-02T08:00:00Z' },
    identifier: [{ system: 'urn:dicom:uid', value: 'urn:oid:1.2.3.4' }],
    status: 'available',
    subject: { reference: 'Patient/1' },
    started: '2026-01-02T07:30:00Z',
    endpoint: [{ reference: 'Endpoint/pacs' }],
    numberOfSeries: 1,
    numberOfInstances: 1,
    series: [imagingSeries()],
    ...rest,
  };
}

export type ImagingSeries = NonNullable<ImagingStudy['series']>[number];

export function imagingSeries(rest: Partial<ImagingSeries> = {}): ImagingSeries {
  return {
    uid: '1.2.3.4.1',
    modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'DX' },
    numberOfInstances: 1,
    ...rest,
  };
}

/** An active endpoint of WADO-RS. */
export function wadoEndpoint(rest: Partial<Endpoint> = {}): Endpoint {
  return {
    resourceType: 'Endpoint',
    id: 'pacs',
    status: 'active',
    connectionType: {
      system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
      code: 'dicom-wado-rs',
    },
    payloadType: [{ text: 'DICOM' }],
    address: 'https://pacs.example.org/dicom-web',
    ...rest,
  };
}
