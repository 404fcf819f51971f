import { describe, expect, it } from 'vitest';
import { readImageAttributes } from '../../../src/imaging/dicom/image-attributes.ts';
import { ImageFault } from '../../../src/imaging/image-fault.ts';
import { dataset, imageDataset } from '../support/dataset.ts';

/** What a dataset is refused for, and with which words. */
function refusal(changes: Parameters<typeof imageDataset>[0], frame?: number): string {
  try {
    const attributes = readImageAttributes(imageDataset(changes));
    if (frame !== undefined) attributes.frame(frame);
  } catch (error) {
    if (error instanceof ImageFault) return `${error.because}: ${error.message}`;
    throw error;
  }
  return 'read';
}

describe('attributes of an image', () => {
  it('DW-20: say how the pixels are stored', () => {
    expect(readImageAttributes(imageDataset()).pixels).toEqual({
      rows: 2,
      columns: 3,
      samplesPerPixel: 1,
      bitsAllocated: 16,
      bitsStored: 16,
      highBit: 15,
      signed: true,
      planarConfiguration: 0,
      photometricInterpretation: 'MONOCHROME2',
      frames: 1,
      lossy: false,
    });
  });

  it('DW-10: are read alike from numbers, from texts and from texts with padding', () => {
    const asText = imageDataset({
      NumberOfFrames: ' 2 ',
      WindowCenter: ['40', ' -600.5 '],
      WindowWidth: ['4e2', '1600'],
    });
    const asNumber = imageDataset({ NumberOfFrames: 2, WindowCenter: [40, -600.5], WindowWidth: [400, 1600] });
    for (const each of [asText, asNumber]) {
      const attributes = readImageAttributes(each);
      expect(attributes.pixels?.frames).toBe(2);
      expect(attributes.frame(1).windows).toEqual([
        { center: 40, width: 400, function: 'LINEAR' },
        { center: -600.5, width: 1600, function: 'LINEAR' },
      ]);
    }
  });

  it('name the patient with the issuer of each identifier', () => {
    const attributes = readImageAttributes(
      imageDataset({
        PatientID: 'A17',
        IssuerOfPatientID: 'HOSPITAL',
        OtherPatientIDsSequence: [
          dataset({ PatientID: 'B4', IssuerOfPatientID: 'CLINIC' }),
          dataset({ PatientID: 'C9' }),
        ],
        OtherPatientIDs: ['D1', ''],
        PatientBirthDate: '19560213',
        PatientAge: '018M',
      }),
    );
    expect(attributes).toMatchObject({
      patientId: 'A17',
      issuerOfPatientId: 'HOSPITAL',
      otherPatientIds: [{ id: 'B4', issuer: 'CLINIC' }, { id: 'C9' }, { id: 'D1' }],
      patientBirthDate: '1956-02-13',
      patientAgeYears: 1.5,
    });
  });

  it('say that an issuer which qualifiers alone name is some issuer, and not the site that names none', () => {
    const qualified = imageDataset({
      PatientID: '123',
      IssuerOfPatientIDQualifiersSequence: [dataset({ PatientID: 'not looked at' })],
    });
    expect(readImageAttributes(qualified).issuerOfPatientId).toBe('');
    expect(readImageAttributes(imageDataset({ PatientID: '123' })).issuerOfPatientId).toBeUndefined();
  });

  it('give the study its date and time, and none where the text is none', () => {
    expect(
      readImageAttributes(imageDataset({ StudyDate: '20260301', StudyTime: '0830', TimezoneOffsetFromUTC: '+0200' })),
    ).toMatchObject({ studyDate: '2026-03-01', studyTime: '08:30', timezoneOffset: '+02:00' });
    expect(readImageAttributes(imageDataset({ StudyDate: 'yesterday', StudyTime: 'noon' })).studyDate).toBeUndefined();
  });

  it('have no pixels where the object has none', () => {
    const report = readImageAttributes(
      dataset({ SOPClassUID: '1.2', SOPInstanceUID: '1.3', StudyInstanceUID: '1.4', SeriesInstanceUID: '1.5' }),
    );
    expect(report.pixels).toBeUndefined();
  });

  it.each([
    [
      'an identifier that could leave an address',
      { StudyInstanceUID: '1.2/../../secret' },
      'image-damaged: StudyInstanceUID (0020,000D) is no UID of DICOM',
    ],
    ['no identifier', { SOPInstanceUID: undefined }, 'image-damaged: SOPInstanceUID (0008,0018) is missing'],
    ['no rows', { Rows: undefined }, 'image-damaged: The object has pixels, but Rows (0028,0010) is missing'],
    ['0 rows', { Rows: 0 }, 'image-damaged: Rows (0028,0010) is 0; it must be a whole number 1 to 65535'],
    ['half a row', { Rows: 1.5 }, 'image-damaged: Rows (0028,0010) is 1.5; it must be a whole number 1 to 65535'],
    ['a row that is no number', { Rows: '0x10' }, 'image-damaged: Rows (0028,0010) is not a number'],
    [
      'more bits stored than allocated',
      { BitsStored: 17 },
      'image-damaged: BitsStored (0028,0101) is 17; it must be a whole number 1 to 16',
    ],
    [
      'a high bit outside of the cell',
      { HighBit: 16 },
      'image-damaged: HighBit (0028,0102) is 16; it must be a whole number 15 to 15',
    ],
    ['64 bits', { BitsAllocated: 64 }, 'image-unsupported: BitsAllocated (0028,0100) is 64; read are 1, 8, 16, 24, 32'],
    ['two samples', { SamplesPerPixel: 2 }, 'image-damaged: SamplesPerPixel (0028,0002) is 2; MONOCHROME2 has 1'],
    [
      'a colour model that is not read',
      { PhotometricInterpretation: 'CMYK' },
      'image-unsupported: PhotometricInterpretation (0028,0004) is none of',
    ],
    [
      'a colour model named as what every object has',
      { PhotometricInterpretation: 'constructor' },
      'image-unsupported: PhotometricInterpretation',
    ],
    [
      'no planar configuration of three samples',
      { SamplesPerPixel: 3, PhotometricInterpretation: 'RGB' },
      'image-damaged: The object has pixels, but PlanarConfiguration (0028,0006) is missing',
    ],
    ['a sign of 2', { PixelRepresentation: 2 }, 'image-damaged: PixelRepresentation (0028,0103) is 2'],
    ['no frame', { NumberOfFrames: 0 }, 'image-damaged: NumberOfFrames (0028,0008) is 0'],
    [
      'floating-point pixels',
      { FloatPixelData: undefined, DoubleFloatPixelData: 0 },
      'image-unsupported: The pixels are floating-point numbers',
    ],
    [
      'a palette that is elsewhere',
      { PhotometricInterpretation: 'PALETTE COLOR' },
      'image-damaged: RedPaletteColorLookupTableDescriptor (0028,1101) must have three values',
    ],
  ])('refuse %s', (_, changes, words) => {
    expect(refusal(changes)).toContain(words);
  });

  it.each([
    ['a slope without an intercept', { RescaleSlope: 1 }, 'must both be stated'],
    ['a slope of 0', { RescaleSlope: 0, RescaleIntercept: 1 }, 'the slope not be 0'],
    [
      'a window center without its width',
      { WindowCenter: [1, 2], WindowWidth: 3 },
      'has 2 values and WindowWidth (0028,1051) has 1',
    ],
    [
      'an unknown VOI function',
      { WindowCenter: 1, WindowWidth: 3, VOILUTFunction: 'CUBIC' },
      'VOILUTFunction (0028,1056) is none of',
    ],
    ['a position of two numbers', { ImagePositionPatient: [1, 2] }, 'has 2 values; it must have 3'],
    ['a spacing of 0', { PixelSpacing: [0, 1] }, 'PixelSpacing (0028,0030) must be greater than 0'],
    [
      'groups of other frames',
      { NumberOfFrames: 2, PerFrameFunctionalGroupsSequence: [dataset({})] },
      'has 1 items; the object has 2 frames',
    ],
    ['an empty value among others', { PixelSpacing: [null, 1] }, 'has an empty value among others'],
  ])('refuse a frame with %s', (_, changes, words) => {
    expect(refusal(changes, 0)).toContain(words);
  });
});

describe('attributes of a frame', () => {
  it('DW-21: have the rescale of the object, or say that it has none', () => {
    expect(readImageAttributes(imageDataset()).frame(0).modalityLut).toEqual({ kind: 'none' });
    expect(
      readImageAttributes(imageDataset({ RescaleSlope: '2', RescaleIntercept: '-1024', RescaleType: 'HU' })).frame(0)
        .modalityLut,
    ).toEqual({ kind: 'rescale', slope: 2, intercept: -1024, type: 'HU' });
  });

  it('DW-24: come from the frame itself, then from what all frames share, then from the object', () => {
    const rescale = (slope: number) =>
      dataset({ PixelValueTransformationSequence: dataset({ RescaleSlope: slope, RescaleIntercept: 0 }) });
    const attributes = readImageAttributes(
      imageDataset({
        NumberOfFrames: 2,
        RescaleSlope: 1,
        RescaleIntercept: 0,
        WindowCenter: 1,
        WindowWidth: 2,
        SharedFunctionalGroupsSequence: {
          ...rescale(2),
          ...dataset({ PixelMeasuresSequence: dataset({ PixelSpacing: [0.5, 0.25], SliceThickness: 3 }) }),
        },
        PerFrameFunctionalGroupsSequence: [
          { ...rescale(3), ...dataset({ PlanePositionSequence: dataset({ ImagePositionPatient: [0, 0, 7.5] }) }) },
          dataset({ FrameVOILUTSequence: dataset({ WindowCenter: 5, WindowWidth: 6, VOILUTFunction: 'SIGMOID' }) }),
        ],
      }),
    );
    expect(attributes.frame(0)).toMatchObject({
      modalityLut: { slope: 3 },
      windows: [{ center: 1, width: 2, function: 'LINEAR' }],
      spacingMm: [0.5, 0.25],
      sliceThicknessMm: 3,
      position: [0, 0, 7.5],
    });
    expect(attributes.frame(1)).toMatchObject({
      modalityLut: { slope: 2 },
      windows: [{ center: 5, width: 6, function: 'SIGMOID' }],
      position: undefined,
    });
    expect(() => attributes.frame(2)).toThrow('There is no frame 2; the object has 2, from 0');
  });

  it('DW-24: pad with a value that was written with the other sign', () => {
    expect(readImageAttributes(imageDataset({ PixelPaddingValue: 63_536 })).pixels?.paddingValue).toEqual({
      from: -2000,
      to: -2000,
    });
    expect(
      readImageAttributes(
        imageDataset({ PixelRepresentation: 0, PixelPaddingValue: -1, PixelPaddingRangeLimit: 65_000 }),
      ).pixels?.paddingValue,
    ).toEqual({ from: 65_000, to: 65_535 });
  });

  it('DW-21: hold tables with the value they begin at', () => {
    const table = {
      ...dataset({ LUTDescriptor: [3, 65_535, 12], ModalityLUTType: 'OD' }),
      '00283006': { vr: 'OW', InlineBinary: Buffer.from(Uint16Array.of(1, 2, 4095).buffer).toString('base64') },
    };
    expect(readImageAttributes(imageDataset({ ModalityLUTSequence: table })).frame(0).modalityLut).toEqual({
      kind: 'table',
      type: 'OD',
      table: { firstMapped: -1, bits: 12, values: Uint16Array.of(1, 2, 4095) },
    });
    const beyond = { ...table, ...dataset({ LUTDescriptor: [3, 0, 11] }) };
    expect(refusal({ ModalityLUTSequence: beyond }, 0)).toContain('its descriptor states 3 of 11 bits');
  });
});
