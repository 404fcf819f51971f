import type { InputForm, OutputForm } from '../model-catalog/model-tensors.ts';
import type { TensorForm } from '../model-catalog/tensor.ts';
import type { EngineModel } from './inference-engine.ts';

/** What of an opened graph is not as the manifest declares it: its inputs, and the outputs that are read, with their rows left free. */
export function formMisfit(
  { inputs, outputs }: Pick<EngineModel, 'inputs' | 'outputs'>,
  found: {
    readonly inputs: readonly TensorForm[];
    readonly outputs: readonly TensorForm[];
    readonly otherOutputs: readonly string[];
  },
): string | undefined {
  const noTensor = outputs.find(({ name }) => found.otherOutputs.includes(name));
  if (noTensor !== undefined) return `output ${noTensor.name} is not a tensor`;
  const misfit = firstOf(inputs, (input) => sideMisfit('input', input, found.inputs, inputSizes(input)));
  if (misfit !== undefined) return misfit;
  if (found.inputs.length > inputs.length)
    return `model.onnx has ${found.inputs.length} inputs (${namesOf(found.inputs)}); the manifest declares ${namesOf(inputs)}`;
  return firstOf(outputs, (output) => sideMisfit('output', output, found.outputs, outputSizes(output)));
}

/** The sizes of a row that fit an input: those of its shape. */
function inputSizes({ shape, columns }: InputForm): readonly (readonly number[])[] {
  return [shape ?? [columns]];
}

/** A single column may come without a size of its own. */
function outputSizes({ columns }: OutputForm): readonly (readonly number[])[] {
  return columns === 1 ? [[1], []] : [[columns]];
}

function sideMisfit(
  side: 'input' | 'output',
  { name, type }: InputForm | OutputForm,
  found: readonly TensorForm[],
  sizes: readonly (readonly number[])[],
): string | undefined {
  const tensor = found.find((each) => each.name === name);
  if (tensor === undefined) return `model.onnx has no ${side} named ${name}; it has: ${namesOf(found)}`;
  if (tensor.type !== type) return `model.onnx: ${side} ${name} has type ${tensor.type}; the manifest declares ${type}`;
  const [rows, ...rest] = tensor.shape;
  const fits = (row: readonly number[]): boolean =>
    rows === null && rest.length === row.length && rest.every((size, at) => size === null || size === row[at]);
  if (sizes.some(fits)) return undefined;
  const shape = tensor.shape.map((size, index) => size ?? (index === 0 ? 'n' : '?')).join(', ');
  const declared = ['rows', ...(sizes[0] ?? [])].join(', ');
  return `model.onnx: ${side} ${name} has shape [${shape}]; the manifest declares [${declared}], rows left free`;
}

function firstOf<Each>(all: readonly Each[], misfitOf: (each: Each) => string | undefined): string | undefined {
  for (const each of all) {
    const misfit = misfitOf(each);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

function namesOf(forms: readonly { readonly name: string }[]): string {
  return forms.map(({ name }) => name).join(', ');
}
