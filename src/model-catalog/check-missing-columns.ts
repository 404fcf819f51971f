import { missingColumnValue } from './column-value.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import type { Manifest } from './manifest-schema.ts';
import { missingInput } from './missing-input.ts';
import { inputColumns, inputPath, inputTensors } from './model-tensors.ts';
import type { InputColumn, InputTensor } from './tensor-schema.ts';

type Find = (path: string, message: string) => void;

/** That the columns of a feature that may be missing on purpose say so to the model, and those of no other feature. */
export function checkMissingColumns(manifest: Manifest, map: FeatureMap, find: Find): void {
  inputTensors(manifest).forEach((input, index) => {
    checkInput(input, map, (path, message) => find(`${inputPath(manifest, index)}${path}`, message));
  });
  const columns = inputColumns(manifest);
  const path = manifest.tensors.inputs === undefined ? '/tensors/input/columns' : '/tensors/inputs';
  for (const [name, definition] of Object.entries(map.features)) {
    const given = missingInput(definition);
    const own = columns.filter(({ feature }) => feature === name);
    if (given?.as === 'indicator' && !own.some(({ indicator }) => indicator !== undefined))
      find(
        path,
        `need one {"feature": "${name}", "indicator": "missing"}: without it the model would take the constant for a value`,
      );
    if (given?.as === 'nan' && own.length === 0)
      find(path, `do not read ${name}, which the map gives to the model as NaN`);
  }
}

function checkInput({ columns, acceptsNaN, type }: InputTensor, map: FeatureMap, find: Find): void {
  const given = columns.map((column, index) =>
    isGivenNaN(column, type, map, (path, message) => find(`/columns/${index}${path}`, message)),
  );
  const takesNaN = given.includes(true);
  if (takesNaN && acceptsNaN === undefined) find('', `needs "acceptsNaN": true, for the map gives it NaN`);
  if (!takesNaN && acceptsNaN !== undefined) find('/acceptsNaN', 'has no use: the map gives NaN for no column');
}

/** Whether the map gives NaN to a column, which is checked on the way. */
function isGivenNaN(column: InputColumn, type: InputTensor['type'], map: FeatureMap, find: Find): boolean {
  const given = missingInput(map.features[column.feature]);
  if (given === undefined) {
    if (column.indicator !== undefined)
      find('/indicator', `needs 'indicate' or 'nan' in the policy for ${column.feature} that is missing`);
    return false;
  }
  if (given.as === 'nan') return column.indicator === undefined;
  const value = column.indicator === undefined ? missingColumnValue(column, given) : 1;
  const fits = typeof value === 'string' ? type === 'string' : Number.isFinite(value);
  if (!fits) find('', `has no number for ${given.value}, which stands for ${column.feature} that is missing`);
  return false;
}
