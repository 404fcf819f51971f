import { missingColumnValue } from './column-value.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import type { Manifest } from './manifest-schema.ts';
import { missingInput } from './missing-input.ts';

/** That the columns of a feature that may be missing on purpose say so to the model, and those of no other feature. */
export function checkMissingColumns(
  manifest: Manifest,
  map: FeatureMap,
  find: (path: string, message: string) => void,
): void {
  const { columns, acceptsNaN } = manifest.tensors.input;
  let takesNaN = false;
  columns.forEach((column, index) => {
    const path = `/tensors/input/columns/${index}`;
    const given = missingInput(map.features[column.feature]);
    if (given === undefined) {
      if (column.indicator !== undefined)
        find(`${path}/indicator`, `needs 'indicate' or 'nan' in the policy for ${column.feature} that is missing`);
      return;
    }
    if (given.as === 'nan') takesNaN = true;
    else if (column.indicator === undefined && !Number.isFinite(missingColumnValue(column, given)))
      find(path, `has no number for ${given.value}, which stands for ${column.feature} that is missing`);
  });
  if (takesNaN && acceptsNaN === undefined)
    find('/tensors/input', `needs "acceptsNaN": true, for the map gives it NaN`);
  if (!takesNaN && acceptsNaN !== undefined)
    find('/tensors/input/acceptsNaN', 'has no use: the map gives NaN for no column');
  for (const [name, definition] of Object.entries(map.features)) {
    const given = missingInput(definition);
    const own = columns.filter(({ feature }) => feature === name);
    if (given?.as === 'indicator' && !own.some(({ indicator }) => indicator !== undefined))
      find(
        '/tensors/input/columns',
        `need one {"feature": "${name}", "indicator": "missing"}: without it the model would take the constant for a value`,
      );
    if (given?.as === 'nan' && own.length === 0)
      find('/tensors/input/columns', `do not read ${name}, which the map gives to the model as NaN`);
  }
}
