import type { TensorForm } from '../tensor.ts';
import { datatypeOf, elementTypeOf } from './datatype.ts';
import { isObject } from './parameters.ts';

/** An input or output as the metadata of a model have it; -1 where the size is free. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export function tensorMetadata({ name, type, shape }: TensorForm): TensorMetadata {
  return { name, datatype: datatypeOf(type), shape: shape.map((size) => size ?? -1) };
}

/** What metadata declare of the inputs or the outputs. */
export interface ReadForms {
  readonly forms: readonly TensorForm[];
  /** Those with a datatype that this server does not know. */
  readonly others: readonly string[];
}

/** Reads `inputs` or `outputs` of a model's metadata. Throws SyntaxError, as the rest of a sentence about the metadata. */
export function readForms(list: unknown, side: 'inputs' | 'outputs'): ReadForms {
  if (!Array.isArray(list) || list.length === 0) throw new SyntaxError(`list no ${side}`);
  const forms: TensorForm[] = [];
  const others: string[] = [];
  for (const entry of list) {
    if (!isObject(entry)) throw new SyntaxError(`have ${side} that are no objects`);
    const { name, datatype, shape } = entry;
    if (typeof name !== 'string' || typeof datatype !== 'string' || !isShape(shape)) {
      throw new SyntaxError(`have ${side} without name, datatype and shape`);
    }
    if ([...forms.map((form) => form.name), ...others].includes(name)) {
      throw new SyntaxError(`list ${name} twice among the ${side}`);
    }
    const type = elementTypeOf(datatype);
    if (type === undefined) others.push(name);
    else forms.push({ name, type, shape: shape.map((size) => (size === -1 ? null : size)) });
  }
  return { forms, others };
}

function isShape(shape: unknown): shape is readonly number[] {
  return Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= -1);
}
