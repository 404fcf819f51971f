import { checkSaliency } from './check-saliency.ts';
import { referencePerson } from './explanation-schema.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import type { Manifest } from './manifest-schema.ts';
import { misfit } from './misfit.ts';
import { inputColumns, inputTensors } from './model-tensors.ts';
import { plausibleRange } from './plausible-range.ts';

type Find = (path: string, message: string) => void;

/** That the values of the explanation fit the input columns: the reference person, and the means of a linear model. */
export function checkExplanation(manifest: Manifest, map: FeatureMap, find: Find): void {
  checkReference(manifest, map, find);
  checkSaliency(manifest, map, find);
  const { explanation } = manifest;
  const image = inputTensors(manifest).find((input) => input.image !== undefined)?.image;
  if (image !== undefined && explanation.method !== 'occlusion')
    find(
      '/explanation/method',
      `is ${explanation.method}, which has no share for ${image}: an image is no number; name occlusion`,
    );
  const columns = inputColumns(manifest);
  if (explanation.method === 'linear' && explanation.means.length !== columns.length)
    find('/explanation/means', `are ${explanation.means.length}; the model has ${columns.length} input columns`);
  if (explanation.method === 'occlusion')
    for (const [index, name] of (explanation.parts ?? []).entries()) {
      const kind = columns.some(({ feature }) => feature === name) ? map.features[name]?.kind : undefined;
      if (kind !== 'sequence' && kind !== 'text')
        find(
          `/explanation/parts/${index}`,
          `is ${name}, which is ${kind ?? 'no input column'}; only a sequence or a text has parts`,
        );
    }
  if (explanation.method === 'additive')
    for (const feature of new Set(columns.map((column) => column.feature)))
      if (!Object.hasOwn(explanation.reference, feature))
        find('/explanation/reference', `has no ${feature}: with the method additive it needs every input feature`);
}

function checkReference(manifest: Manifest, map: FeatureMap, find: Find): void {
  for (const [name, value] of Object.entries(referencePerson(manifest.explanation))) {
    const path = `/explanation/reference/${name}`;
    const column = inputColumns(manifest).find(({ feature, indicator }) => feature === name && indicator === undefined);
    const definition = column === undefined ? undefined : map.features[name];
    if (column === undefined || definition === undefined) {
      find(path, 'is no input column');
      continue;
    }
    const reason = misfit(value, definition, column.encode);
    if (reason !== undefined) find(path, reason);
    const plausible = plausibleRange(definition);
    if (typeof value === 'number' && plausible !== undefined) {
      const [lowest, highest] = plausible;
      if (value < lowest || value > highest) find(path, `lies outside the plausible range ${lowest} to ${highest}`);
    }
  }
}
