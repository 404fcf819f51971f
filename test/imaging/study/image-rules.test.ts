import { describe, expect, it } from 'vitest';
import { readImageAttributes } from '../../../src/imaging/dicom/image-attributes.ts';
import { compileImageRules } from '../../../src/imaging/study/image-rules.ts';
import type { ImageDefinition } from '../../../src/model-catalog/image-schema.ts';
import { imageDataset } from '../support/dataset.ts';

type Rules = Pick<ImageDefinition, 'images' | 'exclude'>;
type Changes = Parameters<typeof imageDataset>[0];

function judged({ images = {}, exclude = [] }: Partial<Rules>, changes: Changes): string | undefined {
  const { judge } = compileImageRules({ study: { modality: ['CT'], window: 'P2D' }, images, exclude });
  return judge(readImageAttributes(imageDataset(changes)));
}

/** Row and column directions of the three planes. */
const axial = [1, 0, 0, 0, 1, 0];
const coronal = [1, 0, 0, 0, 0, -1];
const sagittal = [0, 1, 0, 0, 0, -1];

describe('DW-26: an image fits', () => {
  const cases: readonly (readonly [string, Rules['images'], fits: Changes, not: Changes])[] = [
    ['modality', {}, {}, { Modality: 'MR' }],
    ['modality', { modality: ['DX'] }, { Modality: 'DX' }, { Modality: 'CT' }],
    ['body part', { bodyPart: ['CHEST'] }, { BodyPartExamined: 'CHEST' }, { BodyPartExamined: 'FOOT' }],
    ['view position', { view: ['PA', 'AP'] }, { ViewPosition: 'AP' }, { ViewPosition: 'LL' }],
    [
      'presentation intent',
      { intent: ['FOR PRESENTATION'] },
      { PresentationIntentType: 'FOR PRESENTATION' },
      { PresentationIntentType: 'FOR PROCESSING' },
    ],
    [
      'series description',
      { description: { contains: ['Thorax'] } },
      { SeriesDescription: 'CT THORAX 1.0' },
      { SeriesDescription: 'abdomen' },
    ],
    ['SOP class', { sopClass: ['1.2.840.10008.5.1.4.1.1.2'] }, {}, { SOPClassUID: '1.2.840.10008.5.1.4.1.1.2.1' }],
    ['slice thickness', { sliceThicknessMm: [0.5, 1.25] }, { SliceThickness: '1.25' }, { SliceThickness: '5' }],
    ['age of the patient', { patientAgeYears: [18, 120] }, { PatientAge: '018Y' }, { PatientAge: '011M' }],
    [
      'age of the patient',
      { patientAgeYears: [18, 120] },
      { PatientBirthDate: '20080101', StudyDate: '20260101' },
      { PatientBirthDate: '20080102', StudyDate: '20260101' },
    ],
    [
      'orientation',
      { orientation: ['coronal'] },
      { ImageOrientationPatient: coronal },
      { ImageOrientationPatient: axial },
    ],
    [
      'orientation',
      { orientation: ['axial', 'sagittal'] },
      { ImageOrientationPatient: sagittal },
      { ImageOrientationPatient: coronal },
    ],
  ];

  it.each(cases)('by its %s, as %j says', (what, images, fits, not) => {
    expect(judged({ images }, fits)).toBeUndefined();
    expect(judged({ images }, not)).toBe(`by ${what}`);
  });

  it.each(cases.slice(2).filter(([what]) => what !== 'SOP class'))(
    'only where it states its %s, as %j asks',
    (what, images) => {
      expect(judged({ images }, {})).toBe(`by ${what}`);
    },
  );

  it('only where it has pixels', () => {
    const nothing = Object.fromEntries(
      ['Rows', 'Columns', 'BitsAllocated', 'BitsStored', 'HighBit', 'PixelRepresentation'].map((key) => [
        key,
        undefined,
      ]),
    );
    expect(judged({}, { ...nothing, Modality: 'CT' })).toBe('by pixels');
  });
});

describe('DW-26: excluded is, by declared rule,', () => {
  it.each([
    ['derived', { ImageType: ['DERIVED', 'PRIMARY'] }],
    ['localizer', { ImageType: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'] }],
    ['burned-in', { BurnedInAnnotation: 'YES' }],
    ['secondary-capture', { SOPClassUID: '1.2.840.10008.5.1.4.1.1.7' }],
    ['secondary-capture', { SOPClassUID: '1.2.840.10008.5.1.4.1.1.7.2' }],
  ] as const)('what is %s: %j', (kind, changes) => {
    expect(judged({ exclude: [kind] }, changes as Changes)).toBe(`excluded as ${kind}`);
    expect(judged({ exclude: [] }, changes as Changes)).toBeUndefined();
  });

  it('nothing that states none of it', () => {
    const exclude = ['derived', 'localizer', 'burned-in', 'secondary-capture'] as const;
    expect(judged({ exclude: [...exclude] }, { ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'] })).toBeUndefined();
    expect(judged({ exclude: [...exclude] }, { BurnedInAnnotation: 'NO' })).toBeUndefined();
  });
});

it('the rules can be told in words', () => {
  const { words } = compileImageRules({
    study: { modality: ['CR', 'DX'], window: 'P2D' },
    images: { view: ['PA', 'AP'], patientAgeYears: [18, 120] },
    exclude: ['derived'],
  });
  expect(words).toBe('modality CR or DX, view PA or AP, age 18 to 120 years; without derived');
});
