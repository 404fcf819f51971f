import type { ImagingStudy, Patient, ServiceRequest } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { compileOwnerCheck, type Owner } from '../../../src/imaging/study/whose-images.ts';
import { imagingStudy } from '../../support/build-imaging-study.ts';
import { patient, recordOf } from '../../support/build-record.ts';

const mrn = 'urn:oid:2.999.1';
const identifiers = [{ issuer: 'NORTH', system: mrn }];
const subject = patient({ identifier: [{ system: mrn, value: '4711' }] });
const own: Owner = { patientId: '4711', issuerOfPatientId: 'NORTH', otherPatientIds: [] };
const accession = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'ACSN' }] };

function check(owner: Owner, parts: { patient?: Patient; study?: ImagingStudy; order?: ServiceRequest } = {}): string {
  const study = parts.study ?? imagingStudy();
  const record = recordOf([parts.patient ?? subject, study, ...(parts.order === undefined ? [] : [parts.order])]);
  try {
    compileOwnerCheck(record, study, identifiers)(owner);
    return 'own';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('whose images they are', () => {
  it('the PatientID of an issuer is that identifier of the subject', () => {
    expect(check(own)).toBe('own');
  });

  it.each([
    ['another PatientID', { ...own, patientId: '4712' }, 'PatientID (0010,0020) is no identifier of the subject'],
    ['no PatientID', { ...own, patientId: undefined }, 'no PatientID (0010,0020)'],
    ['an issuer that no entry maps', { ...own, issuerOfPatientId: 'SOUTH' }, 'IssuerOfPatientID (0010,0021)'],
    ['an issuer that qualifiers alone name', { ...own, issuerOfPatientId: '' }, 'the issuer of the images'],
    ['no issuer, and no entry for that', { ...own, issuerOfPatientId: undefined }, 'images without an issuer'],
  ])('%s proves nothing, and no value is told', (_, owner, expected) => {
    const message = check(owner);
    expect(message).toContain(expected);
    expect(message).not.toMatch(/471|NORTH|SOUTH/);
  });

  it('the same number in another system is somebody else', () => {
    for (const system of ['urn:oid:2.999.2', undefined]) {
      const other = patient({ identifier: [{ ...(system && { system }), value: '4711' }] });
      expect(check(own, { patient: other })).toContain('is no identifier of the subject');
    }
  });

  it('another id of the images decides where the issuer of the PatientID is not known here', () => {
    const foreign = { ...own, patientId: 'S-1', issuerOfPatientId: 'SOUTH' };
    expect(check({ ...foreign, otherPatientIds: [{ id: '4711', issuer: 'NORTH' }] })).toBe('own');
    expect(check({ ...foreign, otherPatientIds: [{ id: '4712', issuer: 'NORTH' }] })).toContain('IssuerOfPatientID');
    expect(check({ ...foreign, otherPatientIds: [{ id: '4711' }] })).toContain('IssuerOfPatientID');
  });

  it('images without an issuer are read by the entry without one', () => {
    const study = imagingStudy();
    const checkOwner = compileOwnerCheck(recordOf([subject, study]), study, [{ system: mrn }]);
    expect(() => checkOwner({ ...own, issuerOfPatientId: undefined })).not.toThrow();
    expect(() => checkOwner(own)).toThrow('the issuer of the images');
  });

  it('the accession number is one of the study, or of the order that it is based on', () => {
    const ofStudy = imagingStudy({ identifier: [{ type: accession, value: 'A-1' }] });
    expect(check({ ...own, accessionNumber: 'A-1' }, { study: ofStudy })).toBe('own');
    expect(check({ ...own, accessionNumber: 'A-2' }, { study: ofStudy })).toContain('AccessionNumber (0008,0050)');
    const order: ServiceRequest = {
      resourceType: 'ServiceRequest',
      id: 'r1',
      status: 'completed',
      intent: 'order',
      subject: { reference: 'Patient/1' },
      identifier: [{ type: accession, value: 'A-1' }],
    };
    const based = imagingStudy({ basedOn: [{ reference: 'ServiceRequest/r1' }] });
    expect(check({ ...own, accessionNumber: 'A-1' }, { study: based, order })).toBe('own');
    expect(check({ ...own, accessionNumber: 'A-2' }, { study: based, order })).toContain('AccessionNumber');
    const logical = imagingStudy({ basedOn: [{ identifier: { type: accession, value: 'A-1' } }] });
    expect(check({ ...own, accessionNumber: 'A-2' }, { study: logical })).toContain('AccessionNumber');
  });

  it('an accession number that only one side has contradicts nothing', () => {
    expect(check({ ...own, accessionNumber: 'A-1' })).toBe('own');
    expect(check(own, { study: imagingStudy({ identifier: [{ type: accession, value: 'A-1' }] }) })).toBe('own');
  });

  it('is asked of every image that says something else', () => {
    const study = imagingStudy();
    const checkOwner = compileOwnerCheck(recordOf([subject, study]), study, identifiers);
    checkOwner(own);
    expect(() => checkOwner({ ...own, patientId: '4712' })).toThrow('PatientID');
  });
});
