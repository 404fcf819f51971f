import { shownName } from '../../model-catalog/inference-protocol/tensor-entries.ts';
import { formMisfit, shapeText, type Tensor, type Tensors } from '../../model-catalog/tensor.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ServedModel } from './inference-models.ts';

/**
 * Throws PARAMETER_INVALID unless there is one tensor for each input of the model, of its datatype and shape, with at least
 * one element, and without infinities; NaN only where the manifest says that the model takes it.
 */
export function checkFeeds(model: ServedModel, feeds: Tensors): void {
  const names = model.inputs.map(({ name }) => name);
  const unknown = [...feeds.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) throw refused(model, `has no input ${shownName(unknown)}; it takes ${names.join(', ')}`);
  for (const form of model.inputs) {
    const tensor = feeds.get(form.name);
    if (tensor === undefined) throw refused(model, `takes the input ${form.name}, which is not there`);
    const misfit = formMisfit(tensor, form);
    if (misfit !== undefined) throw refused(model, `cannot take the input ${form.name}: it ${misfit}`);
    if (tensor.data.length === 0) {
      throw refused(model, `cannot take the input ${form.name}: its shape ${shapeText(tensor.dims)} has no elements`);
    }
    checkFinite(model, form.name, tensor);
  }
}

function checkFinite(model: ServedModel, name: string, tensor: Tensor): void {
  const kindOf = kinds[tensor.type];
  if (kindOf === undefined) return;
  const elements = tensor.data as ArrayLike<number>;
  for (let index = 0; index < elements.length; index++) {
    const kind = kindOf(elements[index] ?? 0);
    if (kind === 'infinite') {
      throw refused(model, `cannot take the input ${name}: element ${index} is infinite`);
    }
    if (kind === 'NaN' && !model.acceptsNaN.has(name)) {
      throw refused(
        model,
        `cannot take the input ${name}: element ${index} is NaN, and its manifest does not say that it takes NaN (acceptsNaN)`,
      );
    }
  }
}

type Kind = 'finite' | 'NaN' | 'infinite';

const kindOfNumber = (value: number): Kind => {
  if (Number.isFinite(value)) return 'finite';
  return Number.isNaN(value) ? 'NaN' : 'infinite';
};

/** Of the types that have more than numbers; float16 is kept as bits, of which five are the exponent and ten the rest. */
const kinds: Partial<Record<Tensor['type'], (element: number) => Kind>> = {
  float16: (bits) => {
    if ((bits & 0x7c00) !== 0x7c00) return 'finite';
    return (bits & 0x3ff) === 0 ? 'infinite' : 'NaN';
  },
  float32: kindOfNumber,
  float64: kindOfNumber,
};

function refused({ name, version }: ServedModel, what: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', `Model ${name} ${version} ${what}.`);
}
