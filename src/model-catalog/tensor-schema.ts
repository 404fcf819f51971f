import Type, { type Static } from 'typebox';
import { strict } from './schema-terms.ts';
import { transformSchema } from './transform-schema.ts';

/** The `tensors` of `manifest.json`: what the graph takes and gives, and what fills each number of a row. */

const text = (description: string) => Type.String({ minLength: 1, description });

const inputType = Type.Union(
  [
    Type.Literal('float32'),
    Type.Literal('float64'),
    Type.Literal('int32'),
    Type.Literal('int64'),
    Type.Literal('bool'),
    Type.Literal('string'),
  ],
  { description: 'type of its elements; texts and codes fill strings, anything else numbers' },
);

const outputType = Type.Union(
  [
    Type.Literal('float32'),
    Type.Literal('float64'),
    Type.Literal('int32'),
    Type.Literal('int64'),
    Type.Literal('bool'),
    Type.Literal('string'),
  ],
  { description: 'type of its elements; of whole numbers and bools the number counts, of strings the class they name' },
);

const inputColumn = Type.Object(
  {
    feature: text('name of a feature of the map'),
    encode: Type.Optional(
      Type.Record(Type.String(), Type.Number(), {
        description: 'number per code, for coded features; booleans are 1 and 0',
      }),
    ),
    transform: Type.Optional(transformSchema),
    at: Type.Optional(
      Type.Object(
        {
          bin: Type.Integer({ minimum: 0, description: 'which bin, from 0, the oldest' }),
          channel: Type.Union([Type.Literal('value'), Type.Literal('mask'), Type.Literal('since')], {
            description: 'its value; 1 where it holds a measurement, else 0; or how many bins ago the last one was',
          }),
        },
        { ...strict, description: 'for a sequence: which of its numbers' },
      ),
    ),
    indicator: Type.Optional(
      Type.Literal('missing', {
        description: '1 where the feature is given to the model as missing, else 0, instead of its value',
      }),
    ),
  },
  strict,
);

const inputTensor = Type.Object(
  {
    name: text('name of the input in the graph'),
    type: inputType,
    acceptsNaN: Type.Optional(
      Type.Literal(true, { description: 'the model takes NaN for a value that is missing on purpose' }),
    ),
    shape: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1 }), {
        maxItems: 6,
        description:
          'sizes of one row, which its columns fill in row-major order: [48, 6] for an input [rows, 48, 6], [] for [rows]; absent: one size, how many columns there are',
      }),
    ),
    columns: Type.Optional(
      Type.Array(inputColumn, {
        minItems: 1,
        description: 'what fills each number of a row, from left to right; `columns` or `image` is needed',
      }),
    ),
    image: Type.Optional(
      text('in the place of `columns`: the image of the map that fills a row, whose steps end in `shape`'),
    ),
  },
  { ...strict, description: 'rows by columns, or by `shape`; the number of rows is left free' },
);

const outputTensor = Type.Object(
  {
    name: text('name of the output in the graph'),
    type: outputType,
    columns: Type.Integer({ minimum: 1, description: 'how many columns it has; 1 also where the graph gives [rows]' }),
  },
  { ...strict, description: 'rows by columns; `outcomes` say which column is what' },
);

export const tensorsSchema = Type.Object(
  {
    input: Type.Optional(inputTensor),
    inputs: Type.Optional(
      Type.Array(inputTensor, {
        minItems: 1,
        description: 'in the place of `input`: every input of a graph that has several',
      }),
    ),
    output: Type.Optional(outputTensor),
    outputs: Type.Optional(
      Type.Array(outputTensor, {
        minItems: 1,
        description:
          'in the place of `output`: those that are read, their columns counted on from one to the next; other outputs of the graph are ignored',
      }),
    ),
  },
  { ...strict, description: 'inputs and outputs of the graph: `input` or `inputs`, `output` or `outputs`' },
);

/** What fills one number, or one text, of a row. */
export type InputColumn = Static<typeof inputColumn>;
/** As its file has it: see `inputTensors`. */
export type InputTensorFile = Static<typeof inputTensor>;
/** An image is one column, which one cell of a row fills with all its numbers. */
export type InputTensor = Omit<InputTensorFile, 'columns'> & { readonly columns: readonly InputColumn[] };
export type OutputTensor = Static<typeof outputTensor>;
