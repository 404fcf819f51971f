import type { ReportContent } from '../../../src/imaging/objects/comprehensive-report.ts';
import type { ResultOrigin } from '../../../src/imaging/objects/result-origin.ts';
import { dataset } from './dataset.ts';

/** A result of a synthetic study of two series, with whatever a test changes. */
export function resultOrigin(changes: Partial<ResultOrigin> = {}): ResultOrigin {
  return {
    identifier: 'a'.repeat(64),
    report: 'e'.repeat(64),
    version: 1,
    source: {
      ...dataset({
        StudyInstanceUID: '1.2.3',
        SeriesInstanceUID: '1.2.3.1',
        SOPInstanceUID: '1.2.3.1.1',
        StudyDate: '20260102',
        StudyTime: '030405',
        AccessionNumber: 'A-77',
        PatientID: 'P-1',
        IssuerOfPatientID: 'Größere Klinik',
        PatientBirthDate: '19700203',
        OtherPatientIDs: 'elsewhere',
      }),
      '00080090': { vr: 'PN' },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Jörg', Ideographic: '山田^太郎' }] },
      '00100040': { vr: 'CS', Value: ['M'] },
      '00101040': { vr: 'LO', Value: ['An address that is nobody’s business'] },
    },
    objects: [
      {
        seriesInstanceUid: '1.2.3.1',
        sopInstanceUid: '1.2.3.1.1',
        sopClassUid: '1.2.840.10008.5.1.4.1.1.1.1',
      },
      {
        seriesInstanceUid: '1.2.3.2',
        sopInstanceUid: '1.2.3.2.1',
        sopClassUid: '1.2.840.10008.5.1.4.1.1.2.1',
        frames: [1, 2],
      },
    ],
    model: { id: 'chest', version: '1.2.0', title: 'Opacity of the chest', digest: 'd'.repeat(64) },
    software: '0.9.0',
    computedAt: new Date('2026-01-02T23:30:00Z'),
    issuedAt: new Date('2026-01-02T23:30:00Z'),
    timeZone: 'Europe/Berlin',
    ...changes,
  };
}

const own = 'https://example.org/fhir/CodeSystem/of-the-model';

/** A risk, a class and an abstention. */
export const reportContent: ReportContent = {
  procedure: { system: 'http://loinc.org', code: '18748-4', display: 'Diagnostic imaging study' },
  outcomes: [
    {
      id: 'opacity',
      concept: { system: own, code: 'opacity-of-the-chest', display: 'Opacity' },
      said: {
        kind: 'number',
        value: 12.345678901234567,
        unit: { system: 'http://unitsofmeasure.org', code: '%', display: 'percent' },
      },
    },
    {
      id: 'form',
      concept: { system: own, code: 'form', display: 'Form' },
      said: { kind: 'code', value: { system: own, code: 'box', display: 'Box' } },
    },
    {
      id: 'volume',
      concept: { system: own, code: 'volume', display: 'Volume' },
      said: { kind: 'text', text: 'Not computed: outside of the range' },
    },
  ],
  conclusion: 'AI result, not read by a radiologist. Form: a box.',
  isFinal: false,
};
