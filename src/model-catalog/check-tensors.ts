import type { Manifest } from './manifest-schema.ts';
import { inputPath, inputTensors, outputTensors } from './model-tensors.ts';
import { repeated } from './repeated.ts';

type Find = (path: string, message: string) => void;

/** What the schema cannot say of the inputs and outputs themselves: that there is one way of saying which, and that shapes add up. */
export function checkTensors(manifest: Manifest, find: Find): void {
  const { input, inputs, output, outputs } = manifest.tensors;
  oneOf('input', input !== undefined, inputs !== undefined, find);
  oneOf('output', output !== undefined, outputs !== undefined, find);
  (inputs ?? (input === undefined ? [] : [input])).forEach((declared, index) => {
    if ((declared.columns === undefined) === (declared.image === undefined))
      find(inputPath(manifest, index), 'needs columns, or image for one that an image fills, and not both');
  });
  inputTensors(manifest).forEach(({ shape, columns, type, acceptsNaN, image }, index) => {
    const path = inputPath(manifest, index);
    if (image !== undefined) {
      if (shape === undefined)
        find(`${path}/shape`, `is needed beside image: the sizes in which the steps of ${image} end`);
      if (type !== 'float32') find(`${path}/type`, `is ${type}; an image fills an input of float32`);
      if (acceptsNaN === true) find(`${path}/acceptsNaN`, 'is not for an image: no pixel is missing on purpose');
      return;
    }
    const product = shape?.reduce((all, size) => all * size, 1) ?? columns.length;
    if (product !== columns.length)
      find(
        `${path}/shape`,
        `[${shape?.join(', ')}] has ${product} elements for each row, but there are ${columns.length} columns`,
      );
    if (acceptsNaN === true && type !== 'float32' && type !== 'float64')
      find(`${path}/acceptsNaN`, `is for floats: ${type} has no NaN`);
  });
  for (const { name, type, columns } of outputTensors(manifest))
    if (type === 'string' && columns > 1)
      find('/tensors', `the output ${name} has ${columns} columns of texts; one is read, as the label of a class`);
  for (const name of repeated(inputTensors(manifest).map((each) => each.name)))
    find('/tensors/inputs', `the input ${name} is there twice`);
  for (const name of repeated(outputTensors(manifest).map((each) => each.name)))
    find('/tensors/outputs', `the output ${name} is there twice`);
}

function oneOf(name: 'input' | 'output', one: boolean, several: boolean, find: Find): void {
  if (one && several) find(`/tensors/${name}s`, `stands beside ${name}; declare ${name} alone, or all in ${name}s`);
  if (!one && !several) find('/tensors', `needs ${name}, or ${name}s for several`);
}
