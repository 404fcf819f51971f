import { describe, expect, it } from 'vitest';
import type { DicomJson } from '../../../src/imaging/dicom/dicom-json.ts';
import { readImageAttributes } from '../../../src/imaging/dicom/image-attributes.ts';
import { readPart10 } from '../../../src/imaging/dicom/read-part10.ts';
import { codedEntry, schemesOf } from '../../../src/imaging/objects/coded-entry.ts';
import { comprehensiveReport } from '../../../src/imaging/objects/comprehensive-report.ts';
import { dicomInstant } from '../../../src/imaging/objects/dicom-instant.ts';
import { imageReference, readObjects } from '../../../src/imaging/objects/image-references.ts';
import type { ResultOrigin } from '../../../src/imaging/objects/result-origin.ts';
import { resultUid } from '../../../src/imaging/objects/result-uid.ts';
import { secondaryCapture } from '../../../src/imaging/objects/secondary-capture.ts';
import { decodeFrame } from '../../../src/imaging/pixels/decode-frame.ts';
import { dataset } from '../support/dataset.ts';
import { reportContent, resultOrigin } from '../support/result-origin.ts';

const colours = Uint8Array.from({ length: 2 * 3 * 3 }, (_, at) => at * 11);
const captured = {
  title: 'What moved the score',
  number: 1,
  lossy: false,
  burnedInAnnotation: 'NO',
  picture: { rows: 2, columns: 3, channels: 3, data: colours },
} as const;
const capture = (origin: ResultOrigin = resultOrigin()) => readPart10(secondaryCapture(origin, captured));
const report = (origin: ResultOrigin = resultOrigin()) => readPart10(comprehensiveReport(origin, reportContent));
/** Without the padding to an even length. */
const one = (dataset: DicomJson, tag: string): string | undefined =>
  (dataset[tag]?.Value?.[0] as string | undefined)?.replace(/[ \0]$/, '');

describe('a Secondary Capture of a result', () => {
  it('is read by our own reader with the very pixels that were written', () => {
    const { dataset, frames, transferSyntaxUid } = capture();
    const image = readImageAttributes(dataset);
    const [bytes] = frames;
    const { pixels } = image;
    if (bytes === undefined || pixels === undefined) throw new Error('no pixels');
    expect([...decodeFrame({ form: pixels, transferSyntaxUid, bytes }).data]).toEqual([...colours]);
    expect(image).toMatchObject({
      sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
      imageType: ['DERIVED', 'SECONDARY'],
      modality: 'OT',
      seriesDescription: 'AI result, not read by a radiologist',
      burnedInAnnotation: 'NO',
    });
  });

  it('says gray as three equal colours', () => {
    const gray = { ...captured, picture: { rows: 1, columns: 2, channels: 1, data: Uint8Array.of(9, 200) } } as const;
    const [bytes] = readPart10(secondaryCapture(resultOrigin(), gray)).frames;
    expect([...(bytes ?? [])]).toEqual([9, 9, 9, 200, 200, 200]);
  });

  it('does not say whether a patient is named in pixels of which nobody knows', () => {
    const { burnedInAnnotation: _, ...unknown } = captured;
    expect(readPart10(secondaryCapture(resultOrigin(), unknown)).dataset['00280301']).toBeUndefined();
  });

  it('is not made of pixels that are not rows × columns', () => {
    const short = { ...captured, picture: { ...captured.picture, rows: 3 } };
    expect(() => secondaryCapture(resultOrigin(), short)).toThrow(/18 values are no picture of 3 × 3 × 3/);
  });
});

describe('the patient and the study of an object', () => {
  it('are those of the source, in any script', () => {
    const { dataset } = capture();
    expect(readImageAttributes(dataset)).toMatchObject({
      studyInstanceUid: '1.2.3',
      patientId: 'P-1',
      issuerOfPatientId: 'Größere Klinik',
      accessionNumber: 'A-77',
      patientBirthDate: '1970-02-03',
    });
  });

  it('have the numbers that others gave the patient, and who they were, for whose study it is may be proven by them', () => {
    const qualifiers = (id: string): DicomJson => ({ '00400032': { vr: 'UT', Value: [id] } });
    const other = {
      ...dataset({
        PatientID: '4711',
        IssuerOfPatientID: 'NORTH',
        IssuerOfPatientIDQualifiersSequence: qualifiers('1.2'),
      }),
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Maiden^Name' }] },
    };
    const { '00100021': _, ...plain } = resultOrigin().source;
    const source = {
      ...plain,
      ...dataset({ IssuerOfPatientIDQualifiersSequence: qualifiers('1.3'), OtherPatientIDsSequence: other }),
    };
    for (const { dataset: sent } of [capture(resultOrigin({ source })), report(resultOrigin({ source }))]) {
      // Empty: an issuer that qualifiers alone name, and not the one of the site.
      expect(readImageAttributes(sent)).toMatchObject({
        issuerOfPatientId: '',
        otherPatientIds: [{ id: '4711', issuer: 'NORTH' }],
      });
      expect(JSON.stringify(sent)).not.toContain('Maiden');
    }
  });

  it('say nothing else of the patient that the source says', () => {
    const file = Buffer.from(secondaryCapture(resultOrigin(), captured)).toString('utf8');
    expect(file).toContain('Müller^Jörg=山田^太郎');
    expect(file).not.toContain('elsewhere');
    expect(file).not.toContain('business');
  });

  it('must be named by the source', () => {
    expect(() => capture(resultOrigin({ source: {} }))).toThrow('The source names no study');
  });
});

describe('the UIDs of the objects of a result', () => {
  const uids = ({ dataset }: { dataset: DicomJson }) => [one(dataset, '00080018'), one(dataset, '0020000E')];

  it('are the same when the objects are made again, and of no other result, object or series', () => {
    expect(uids(capture())).toEqual(uids(capture()));
    const all = [
      capture(),
      report(),
      capture(resultOrigin({ identifier: 'b' })),
      report(resultOrigin({ identifier: 'b' })),
    ];
    expect(new Set(all.map(({ dataset }) => one(dataset, '00080018'))).size).toBe(4);
  });

  it('AIR-1: of an amended result are in the series of the one before, the document names it, and the picture of the same prediction is the same', () => {
    const amended = resultOrigin({ identifier: 'b', version: 2 });
    const [before, after] = [report(), report(amended)];
    const [own, series] = uids(before);
    const document = Buffer.from(comprehensiveReport(amended, reportContent, String(own)));
    expect([uids(after)[0] === own, uids(after)[1] === series]).toEqual([false, true]);
    expect([before, after].map(({ dataset }) => one(dataset, '00200013'))).toEqual(['1', '2']);
    expect(document.includes(String(own))).toBe(true);
    expect(Buffer.from(comprehensiveReport(amended, reportContent)).includes(String(own))).toBe(false);
    const again = resultOrigin({ version: 3 });
    expect(uids(report(again))[0]).not.toBe(own);
    expect(uids(capture(again))).toEqual(uids(capture()));
  });

  it('AIR-1: of a result that a person has confirmed say so, and in its words who it was; nobody has signed the document', () => {
    const conclusion = 'Confirmed by Practitioner/7. Form: a box.';
    const file = Buffer.from(comprehensiveReport(resultOrigin(), { ...reportContent, conclusion, isFinal: true }));
    expect(['FINAL', 'UNVERIFIED', conclusion].map((text) => file.includes(text))).toEqual([true, true, true]);
    expect(file.includes('PRELIMINARY')).toBe(false);
  });

  it('of another study are in another series, whatever report it is', () => {
    const elsewhere = resultOrigin({ source: dataset({ StudyInstanceUID: '1.2.9' }) });
    for (const make of [capture, report]) expect(uids(make(elsewhere))[1]).not.toBe(uids(make())[1]);
  });

  it('are UUIDs as PS3.5 B.2 writes them', () => {
    expect(resultUid('a', 'b')).toMatch(/^2\.25\.[1-9][0-9]{30,38}$/);
    const hex = BigInt(resultUid('a', 'b').slice(5)).toString(16).padStart(32, '0');
    expect(hex).toMatch(/^.{12}8.{3}[89ab].{15}$/);
  });
});

describe('references to images', () => {
  const object = {
    seriesInstanceUid: '1.2.3.2',
    sopInstanceUid: '1.2.3.2.1',
    sopClassUid: '1.2.840.10008.5.1.4.1.1.2.1',
  };
  const frames = (numbers: readonly number[], objectFrames: number) =>
    readObjects(numbers.map((frame) => ({ ...object, frame, objectFrames })))
      .map(imageReference)
      .map((reference) => reference['00081160']?.Value);

  it('AIR-1: name the frames that were read of an object of several, the first alone too, and none of an object of one', () => {
    expect(frames([1], 9)).toEqual([['1']]);
    expect(frames([3, 1], 9)).toEqual([['1', '3']]);
    expect(frames([1], 1)).toEqual([undefined]);
  });
});

describe('instants', () => {
  const at = new Date('2026-07-02T23:30:05Z');

  it('are in the zone of the site', () => {
    expect(dicomInstant(at, 'Europe/Berlin')).toEqual({
      date: '20260703',
      time: '013005',
      dateTime: '20260703013005+0200',
      offset: '+0200',
    });
    expect(dicomInstant(at, 'UTC').offset).toBe('+0000');
  });

  it('are of a document when its report was issued, and of a picture when it was computed', () => {
    const read = resultOrigin({ issuedAt: new Date('2026-01-05T07:08:09Z') });
    const when = ({ dataset: sent }: { dataset: DicomJson }) => ['00080023', '00080033'].map((tag) => one(sent, tag));
    expect(when(report(read))).toEqual(['20260105', '080809']);
    expect(when(capture(read))).toEqual(['20260103', '003000']);
  });

  it('are in the offset of the source where it states one, for its dates are too', () => {
    const source = { ...resultOrigin().source, '00080201': { vr: 'SH', Value: ['-0330'] } };
    const { dataset } = capture(resultOrigin({ source }));
    expect([one(dataset, '00080023'), one(dataset, '00080033'), one(dataset, '00080201')]).toEqual([
      '20260102',
      '200000',
      '-0330',
    ]);
    expect(one(capture().dataset, '00080201')).toBeUndefined();
  });
});

describe('codes', () => {
  const own = { system: 'https://example.org/codes', code: 'longer-than-sixteen', display: 'Long\\er' };

  it('longer than 16 characters are long codes, and a private scheme says which system it is', () => {
    const entry = codedEntry(own);
    expect([one(entry, '00080119'), one(entry, '00080100'), one(entry, '00080104')]).toEqual([
      own.code,
      undefined,
      'Long/er',
    ]);
    expect(one(entry, '00080102')).toMatch(/^99[0-9A-F]{12}$/);
    const [scheme] = schemesOf([own, own]);
    expect(one(scheme ?? {}, '00080102')).toBe(one(entry, '00080102'));
    expect(JSON.stringify(scheme)).toContain('https://example.org/codes');
  });

  it('AIR-1: of a scheme of DICOM have its designator, and it is not declared', () => {
    const loinc = { system: 'http://loinc.org', code: '18748-4', display: 'x'.repeat(80) };
    expect(one(codedEntry(loinc), '00080102')).toBe('LN');
    expect(one(codedEntry(loinc), '00080104')).toHaveLength(64);
    expect(schemesOf([loinc])).toEqual([]);
  });
});

describe('a structured report of a result', () => {
  it('AIR-1: is a Comprehensive 3D SR without pixels', () => {
    const { dataset, frames } = report();
    expect(one(dataset, '00080016')).toBe('1.2.840.10008.5.1.4.1.1.88.34');
    expect(frames).toEqual([]);
    expect(readImageAttributes(dataset).pixels).toBeUndefined();
  });

  it('says nothing without an outcome or an image, and is not made', () => {
    expect(() => comprehensiveReport(resultOrigin(), { ...reportContent, outcomes: [] })).toThrow(/an outcome/);
    expect(() => comprehensiveReport(resultOrigin({ objects: [] }), reportContent)).toThrow(/an image/);
  });

  it('has no number that is none', () => {
    const unit = { system: 'http://unitsofmeasure.org', code: '%', display: 'percent' };
    const concept = { system: 'http://loinc.org', code: '1', display: 'one' };
    const outcomes = [{ id: 'x', concept, said: { kind: 'number', value: Number.NaN, unit } }] as const;
    expect(() => comprehensiveReport(resultOrigin(), { ...reportContent, outcomes })).toThrow('NaN is no value');
  });
});
