import Type, { type Static } from 'typebox';
import { strict } from './schema-terms.ts';

/**
 * The steps from the pixels of an image to the numbers of a tensor, in the order in which they are done. Before them stands
 * the modality LUT, always. The first `window`, and where there is none the first `rescale`, makes a gray image what a reader sees:
 * there MONOCHROME1 is turned over, and padding becomes black.
 * @see DICOM PS3.3 C.11, PS3.4 N.2
 */

const size = Type.Array(Type.Integer({ minimum: 1, maximum: 4096 }), {
  minItems: 2,
  maxItems: 3,
  description: '[rows, columns], of a stack or a volume [slices, rows, columns]',
});
const pair = (description: string) => Type.Tuple([Type.Number(), Type.Number()], { description });

const window = Type.Object(
  {
    step: Type.Literal('window', {
      description: 'values of a window as 0 to 1 (DICOM VOI): `center` and `width`, or `from` the image',
    }),
    center: Type.Optional(Type.Number({ description: 'in units of the modality LUT, such as HU' })),
    width: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'in the same units' })),
    from: Type.Optional(
      Type.Literal('image', { description: 'in the place of `center` and `width`: the first window of the image' }),
    ),
    function: Type.Optional(
      Type.Union([Type.Literal('LINEAR'), Type.Literal('LINEAR_EXACT'), Type.Literal('SIGMOID')], {
        description: 'VOI LUT function of a declared window; LINEAR without it',
      }),
    ),
  },
  strict,
);

const rescale = Type.Object(
  {
    step: Type.Literal('rescale', { description: 'a straight line through two points' }),
    from: pair('two values as they come'),
    to: pair('what these become'),
    clip: Type.Boolean({ description: 'what lies outside of `from` becomes the nearer end of `to`' }),
  },
  strict,
);

const resample = Type.Object(
  {
    step: Type.Literal('resample', { description: 'to another number of rows and columns, or to another spacing' }),
    size: Type.Optional(size),
    spacingMm: Type.Optional(
      Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 100 }), {
        minItems: 2,
        maxItems: 3,
        description:
          'in the place of `size`: millimetres between the middles of rows and of columns, of a volume slices first',
      }),
    ),
    method: Type.Union([Type.Literal('nearest'), Type.Literal('linear'), Type.Literal('cubic'), Type.Literal('area')], {
      description: 'how values between pixels are made',
    }),
    antialias: Type.Boolean({ description: 'whether the kernel grows where the image becomes smaller' }),
  },
  strict,
);

const crop = Type.Object(
  {
    step: Type.Literal('crop', { description: 'cut to at most this size; what is smaller stays as it is' }),
    size,
    at: Type.Literal('centre', { description: 'what stays lies in the middle' }),
  },
  strict,
);

const pad = Type.Object(
  {
    step: Type.Literal('pad', { description: 'filled up to at least this size; what is larger stays as it is' }),
    size,
    value: Type.Number({ description: 'what is put around, as values are at this step' }),
    at: Type.Union([Type.Literal('centre'), Type.Literal('end')], {
      description: 'where the image lies: in the middle, or at the first row and column',
    }),
  },
  strict,
);

const channels = Type.Object(
  {
    step: Type.Literal('channels', { description: 'which channels the tensor has; needed once' }),
    as: Type.Union([Type.Literal('gray'), Type.Literal('rgb'), Type.Literal('gray-to-3')], {
      description: 'one channel of a gray image, three of a colour image, or that of a gray image three times',
    }),
    place: Type.Union([Type.Literal('first'), Type.Literal('last'), Type.Literal('none')], {
      description: 'where the size of the channels stands in the shape; none, for gray alone: it has none',
    }),
    colour: Type.Optional(
      Type.Literal('luma', {
        description:
          'gray of a colour image, as ITU-R BT.601 weighs red, green and blue; without it such an image is no gray one',
      }),
    ),
  },
  strict,
);

const normalise = Type.Object(
  {
    step: Type.Literal('normalise', {
      description: 'less the mean, divided by the standard deviation: one of each, or one for each channel',
    }),
    mean: Type.Array(Type.Number(), { minItems: 1, maxItems: 3, description: 'what is taken away' }),
    std: Type.Array(Type.Number({ exclusiveMinimum: 0 }), {
      minItems: 1,
      maxItems: 3,
      description: 'what it is then divided by',
    }),
  },
  strict,
);

const steps = [window, rescale, resample, crop, pad, channels, normalise] as const;

/** Discriminated by `step`, so that an error names the key of the step that was meant. */
export const imageStep = Type.Unsafe<ImageStep>({
  type: 'object',
  discriminator: { propertyName: 'step' },
  properties: { step: { type: 'string', description: 'which step it is; the other keys follow from it' } },
  required: ['step'],
  oneOf: [...steps],
});

export type ImageStep = Static<(typeof steps)[number]>;
