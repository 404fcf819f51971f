import type { ImageDefinition } from '../../model-catalog/image-schema.ts';
import type { ImageAttributes } from '../dicom/image-attributes.ts';
import { isResultObject } from '../objects/result-series.ts';
import { planeOf } from './slice-geometry.ts';

/** Says why an image does not fit, in words without a value; undefined where it fits. */
export type ImageJudge = (image: ImageAttributes) => string | undefined;

export interface ImageRules {
  readonly judge: ImageJudge;
  /** Whether a modality, as a dataset has it, is among those asked for. */
  readonly isModality: (modality: string | undefined) => boolean;
  /**
   * Whether an object is one that people and machines add to a study that was made, and that is never read: a result of a model, one
   * without pixels (SR, PR, KO), or an excluded derived image or secondary capture.
   */
  readonly isAddition: (image: ImageAttributes) => boolean;
  /** What is asked for and what is left out, in words. */
  readonly words: string;
}

type Rules = Pick<ImageDefinition, 'study' | 'images' | 'exclude'>;
type Limits = readonly [least: number, most: number];

/** Secondary captures (PS3.4 B.5): of one frame, and the four of several. */
const secondaryCapture = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.[1-4])?$/;

/**
 * The rules of a feature map for the images of a study (DW-26). An image that does not state what is asked for does not fit; one that
 * does not state that it is derived, a localizer, burned-in or a secondary capture is none. What has no pixels (SR, PR, KO) never fits, nor
 * does what a model made, whatever a feature map asks for: a model that reads results of models answers for itself.
 */
export function compileImageRules({ study, images, exclude }: Rules): ImageRules {
  const { modality = study.modality, bodyPart, view, intent, description, sopClass, orientation } = images;
  const isModality = (stated: string | undefined): boolean => isOneOf(modality, stated);
  const contains = description?.contains.map((text) => text.toLowerCase());
  const tests: (readonly [what: string, fits: (image: ImageAttributes) => boolean])[] = [
    ['pixels', ({ pixels }) => pixels !== undefined],
    ['modality', (image) => isModality(image.modality)],
    ['body part', (image) => isOneOf(bodyPart, image.bodyPart)],
    ['view position', (image) => isOneOf(view, image.viewPosition)],
    ['presentation intent', (image) => isOneOf(intent, image.presentationIntent)],
    ['SOP class', (image) => isOneOf(sopClass, image.sopClassUid)],
    [
      'series description',
      ({ seriesDescription }) =>
        contains === undefined || contains.some((text) => seriesDescription?.toLowerCase().includes(text) === true),
    ],
    ['slice thickness', (image) => isWithin(images.sliceThicknessMm, thicknessOf(image))],
    ['age of the patient', (image) => isWithin(images.patientAgeYears, ageOf(image))],
    ['orientation', (image) => isOneOf(orientation, orientation === undefined ? undefined : orientationOf(image))],
  ];
  const additions = exclude.filter((kind) => kind === 'derived' || kind === 'secondary-capture');
  return {
    isModality,
    isAddition: (image) =>
      image.pixels === undefined || isResultObject(image) || additions.some((kind) => isKind[kind](image)),
    words: wordsOf({ study, images, exclude }, modality),
    judge: (image) => {
      if (isResultObject(image)) return 'as results of models';
      const other = tests.find(([, fits]) => !fits(image));
      if (other !== undefined) return `by ${other[0]}`;
      const excluded = exclude.find((kind) => isKind[kind](image));
      return excluded === undefined ? undefined : `excluded as ${excluded}`;
    },
  };
}

const isKind: Readonly<Record<Rules['exclude'][number], (image: ImageAttributes) => boolean>> = {
  derived: ({ imageType }) => imageType[0]?.toUpperCase() === 'DERIVED',
  localizer: ({ imageType }) => imageType.some((value) => value.toUpperCase() === 'LOCALIZER'),
  'burned-in': ({ burnedInAnnotation }) => burnedInAnnotation === 'YES',
  'secondary-capture': ({ sopClassUid }) => secondaryCapture.test(sopClassUid),
};

function isOneOf(wanted: readonly string[] | undefined, stated: string | undefined): boolean {
  return wanted === undefined || (stated !== undefined && wanted.includes(stated));
}

function isWithin(limits: Limits | undefined, stated: number | undefined): boolean {
  return limits === undefined || (stated !== undefined && stated >= limits[0] && stated <= limits[1]);
}

function thicknessOf(image: ImageAttributes): number | undefined {
  return image.sliceThicknessMm ?? (image.pixels === undefined ? undefined : image.frame(0).sliceThicknessMm);
}

/** Patient's Age, or whole years from the date of birth to that of the study, both as the image has them. */
function ageOf({ patientAgeYears, patientBirthDate, studyDate }: ImageAttributes): number | undefined {
  if (patientAgeYears !== undefined) return patientAgeYears;
  if (patientBirthDate === undefined || studyDate === undefined || studyDate < patientBirthDate) return undefined;
  const years = Number(studyDate.slice(0, 4)) - Number(patientBirthDate.slice(0, 4));
  return studyDate.slice(5) < patientBirthDate.slice(5) ? years - 1 : years;
}

function orientationOf(image: ImageAttributes): string | undefined {
  const orientation = image.pixels === undefined ? undefined : image.frame(0).orientation;
  return orientation === undefined ? undefined : planeOf(orientation);
}

function wordsOf({ study, images, exclude }: Rules, modality: readonly string[]): string {
  const either = (values: readonly (string | number)[]): string => values.join(' or ');
  const asked = [
    `modality ${either(modality)}`,
    ...(study.bodySite === undefined ? [] : [`body site ${either(study.bodySite)}`]),
    ...(images.bodyPart === undefined ? [] : [`body part ${either(images.bodyPart)}`]),
    ...(images.view === undefined ? [] : [`view ${either(images.view)}`]),
    ...(images.intent === undefined ? [] : [`intent ${either(images.intent)}`]),
    ...(images.description === undefined ? [] : [`description with ${either(images.description.contains)}`]),
    ...(images.sopClass === undefined ? [] : [`SOP class ${either(images.sopClass)}`]),
    ...(images.orientation === undefined ? [] : [either(images.orientation)]),
    ...(images.sliceThicknessMm === undefined ? [] : [`slices of ${images.sliceThicknessMm.join(' to ')} mm`]),
    ...(images.patientAgeYears === undefined ? [] : [`age ${images.patientAgeYears.join(' to ')} years`]),
  ];
  return exclude.length === 0 ? asked.join(', ') : `${asked.join(', ')}; without ${exclude.join(', ')}`;
}
