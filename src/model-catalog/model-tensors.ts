import type { Manifest } from './manifest-schema.ts';
import { elementCount } from './tensor.ts';
import type { InputColumn, InputTensor, InputTensorFile, OutputTensor } from './tensor-schema.ts';

type OfInputs = { readonly tensors: Pick<Manifest['tensors'], 'input' | 'inputs'> };
type OfOutputs = { readonly tensors: Pick<Manifest['tensors'], 'output' | 'outputs'> };

/** The inputs that a manifest declares, in its order; `input` is the only one of its list. An image is their one column. */
export function inputTensors({ tensors: { input, inputs } }: OfInputs): readonly InputTensor[] {
  const declared = inputs ?? (input === undefined ? [] : [input]);
  // Asked for by every prediction: what has columns is handed out as it is.
  return declared.every(hasColumns) ? declared : declared.map(withColumns);
}

function hasColumns(input: InputTensorFile): input is InputTensorFile & InputTensor {
  return input.image === undefined && input.columns !== undefined;
}

function withColumns({ columns = [], ...input }: InputTensorFile): InputTensor {
  return { ...input, columns: input.image === undefined ? columns : [{ feature: input.image }] };
}

/** The columns of all inputs, one input after the other: what a row of the model holds. */
export function inputColumns(manifest: OfInputs): readonly InputColumn[] {
  const [first, ...others] = inputTensors(manifest);
  if (first === undefined) return [];
  return others.length === 0 ? first.columns : [first, ...others].flatMap(({ columns }) => columns);
}

/** The outputs that a manifest declares, in its order: the columns of `outcomes` are counted through all of them. */
export function outputTensors({ tensors: { output, outputs } }: OfOutputs): readonly OutputTensor[] {
  return outputs ?? (output === undefined ? [] : [output]);
}

/** How many columns all declared outputs have. */
export function outputWidth(manifest: OfOutputs): number {
  return outputTensors(manifest).reduce((sum, { columns }) => sum + columns, 0);
}

/** The output that holds a column of the flattened outputs; undefined where there is no such column. */
export function outputOfColumn(manifest: OfOutputs, column: number): OutputTensor | undefined {
  let end = 0;
  for (const output of outputTensors(manifest)) {
    end += output.columns;
    if (column < end) return output;
  }
  return undefined;
}

/** JSON Pointer to one of `inputTensors` in the manifest. */
export function inputPath({ tensors: { inputs } }: OfInputs, index: number): string {
  return inputs === undefined ? '/tensors/input' : `/tensors/inputs/${index}`;
}

/** What an engine has to know of an input. */
export interface InputForm {
  readonly name: string;
  readonly type: InputTensor['type'];
  /** How many elements one row has. */
  readonly columns: number;
  /** They all stand in one cell of a model row, a Float32Array. */
  readonly isImage?: boolean;
  /** Sizes of one row, whose product is `columns`; absent: one size. */
  readonly shape?: readonly number[];
  /** The model takes NaN for a value that is missing on purpose; without it a row with NaN is refused. */
  readonly acceptsNaN?: boolean;
}

/** What an engine has to know of an output. */
export interface OutputForm {
  readonly name: string;
  readonly type: OutputTensor['type'];
  readonly columns: number;
  /** Of an output of strings, which has one column: the number of the class that each of them names. */
  readonly labels?: Readonly<Record<string, number>>;
}

/** What the engine is told of the tensors of a manifest. */
export function engineForms(manifest: OfInputs & OfOutputs & Pick<Manifest, 'outcomes'>): {
  readonly inputs: readonly InputForm[];
  readonly outputs: readonly OutputForm[];
} {
  return {
    inputs: inputTensors(manifest).map(inputForm),
    outputs: outputTensors(manifest).map((output) =>
      output.type === 'string' ? { ...output, labels: labelsOf(manifest, output) } : output,
    ),
  };
}

function inputForm({ image, columns, ...input }: InputTensor): InputForm {
  if (image === undefined) return { ...input, columns: columns.length };
  return { ...input, columns: elementCount(input.shape ?? []), isImage: true };
}

/** The numbers of the classes by the labels that an output of strings gives. */
function labelsOf(manifest: OfOutputs & Pick<Manifest, 'outcomes'>, { name }: OutputTensor): Record<string, number> {
  return Object.fromEntries(
    manifest.outcomes.flatMap((outcome) => {
      if (outcome.kind !== 'class' || outcome.column === undefined) return [];
      if (outputOfColumn(manifest, outcome.column)?.name !== name) return [];
      return outcome.classes.map(({ classLabel, number }) => [String(classLabel), number]);
    }),
  );
}
