import Type, { type Static } from 'typebox';
import { imageStep } from './image-preprocess-schema.ts';
import { described, duration, label, strict, tokens } from './schema-terms.ts';

/** A value of a DICOM code string (VR CS, PS3.5 6.2): upper case letters, digits, space, underscore, at most 16. */
const codeString = Type.String({ pattern: '^[A-Z0-9](?:[A-Z0-9_ ]{0,14}[A-Z0-9_])?$' });
const codeStrings = (description: string) =>
  Type.Array(codeString, { minItems: 1, uniqueItems: true, description: `${description}; any of them fits` });
const limits = (description: string) =>
  Type.Tuple([Type.Number({ minimum: 0 }), Type.Number({ minimum: 0 })], { description: `${description}, inclusive` });

const study = Type.Object(
  {
    modality: codeStrings('modalities of the study, such as CR and DX'),
    window: described(duration, 'how long before as-of the study may have begun'),
    bodySite: Type.Optional(described(tokens, 'codes of ImagingStudy.series.bodySite')),
  },
  { ...strict, description: 'which ImagingStudy; the newest that fits is read' },
);

const images = Type.Object(
  {
    modality: Type.Optional(codeStrings('Modality (0008,0060); without it those of the study')),
    bodyPart: Type.Optional(codeStrings('Body Part Examined (0018,0015)')),
    view: Type.Optional(codeStrings('View Position (0018,5101)')),
    intent: Type.Optional(codeStrings('Presentation Intent Type (0008,0068)')),
    description: Type.Optional(
      Type.Object(
        {
          contains: Type.Array(Type.String({ minLength: 2 }), {
            minItems: 1,
            uniqueItems: true,
            description: 'one of them stands in it, in upper or lower case',
          }),
        },
        { ...strict, description: 'Series Description (0008,103E)' },
      ),
    ),
    sopClass: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9.]{1,64}$' }), {
        minItems: 1,
        uniqueItems: true,
        description: 'SOP Class UIDs; any of them fits',
      }),
    ),
    orientation: Type.Optional(
      Type.Array(Type.Union([Type.Literal('axial'), Type.Literal('coronal'), Type.Literal('sagittal')]), {
        minItems: 1,
        uniqueItems: true,
        description: 'the nearest plane of Image Orientation (Patient)',
      }),
    ),
    sliceThicknessMm: Type.Optional(limits('Slice Thickness (0018,0050)')),
    patientAgeYears: Type.Optional(limits("Patient's Age (0010,1010), or from the birth date of the image")),
  },
  { ...strict, description: 'which images of the study; an image that does not say what is asked for does not fit' },
);

/** An image, a stack or a volume that a model reads: one tensor, by the steps that its training took. */
export const image = Type.Object(
  {
    kind: Type.Literal('image'),
    label,
    study,
    images,
    exclude: Type.Array(
      Type.Union([
        Type.Literal('derived'),
        Type.Literal('localizer'),
        Type.Literal('burned-in'),
        Type.Literal('secondary-capture'),
      ]),
      {
        uniqueItems: true,
        description:
          'kinds of images that never count: Image Type DERIVED or LOCALIZER, burned-in annotation, secondary capture',
      },
    ),
    excludeNothing: Type.Optional(
      Type.String({ minLength: 1, description: 'why none of them is excluded; needed where `exclude` is empty' }),
    ),
    take: Type.Union(
      [Type.Literal('one-image'), Type.Literal('newest-image'), Type.Literal('stack'), Type.Literal('volume')],
      {
        description:
          'the only image that fits (several are a reason), the newest of them, the frames of one series in their order, or a volume: slices sorted by position',
      },
    ),
    preprocess: Type.Array(imageStep, {
      minItems: 1,
      maxItems: 20,
      description: 'from pixels to numbers, in this order; their shape has to be that of the tensor',
    }),
    missing: Type.Literal('abstain', { description: 'an image is never made up' }),
  },
  { ...strict, description: 'pixels of an ImagingStudy, read from a PACS and made a tensor' },
);

export type ImageDefinition = Static<typeof image>;
