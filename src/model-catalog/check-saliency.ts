import type { FeatureMap } from './feature-map-schema.ts';
import { imageLayout } from './image-layout.ts';
import type { Manifest } from './manifest-schema.ts';
import { inputTensors, outputTensors } from './model-tensors.ts';
import type { Outcome } from './outcome-schema.ts';
import { patchStarts } from './patch-starts.ts';
import { type ActivationSaliency, mostNumbers, mostPatches, type OcclusionSaliency } from './saliency-schema.ts';
import { elementCount } from './tensor.ts';

type Find = (path: string, message: string) => void;

/** That pictures of where an image moved a score can be made: of which image, of which outcomes, by how many runs. */
export function checkSaliency(manifest: Manifest, map: FeatureMap, find: Find): void {
  const { explanation, report, outcomes } = manifest;
  const saliency = explanation.method === 'occlusion' ? explanation.saliency : undefined;
  if (saliency === undefined) return;
  const at = (path: string, message: string): void => find(`/explanation/saliency${path}`, message);
  if (report === undefined)
    at('', 'makes pictures for reports, and the manifest has no report; declare one, or leave it out');
  for (const [index, id] of (saliency.outcomes ?? []).entries()) {
    const outcome = outcomes.find((each) => each.id === id);
    if (outcome === undefined)
      at(
        `/outcomes/${index}`,
        `is ${id}, which is no outcome; there are ${outcomes.map((each) => each.id).join(', ')}`,
      );
    else if (!hasSaliency(outcome))
      at(`/outcomes/${index}`, `is ${id}, whose classes have no columns of probabilities`);
  }
  if (saliency.outcomes === undefined && !outcomes.some(hasSaliency))
    at('', 'has no outcome to be about: the classes have no columns of probabilities');
  const images = inputTensors(manifest).filter(({ image }) => image !== undefined);
  const shape = images.find(({ image }) => image === saliency.feature)?.shape;
  const definition = map.features[saliency.feature];
  if (shape === undefined || definition?.kind !== 'image') {
    at(
      '/feature',
      `is ${saliency.feature}, which is no image among the inputs; ${images.map(({ image }) => image).join(', ') || 'there is none'}`,
    );
    return;
  }
  if (map.features[saliency.feature]?.sensitive !== undefined)
    at('/feature', `is ${saliency.feature}, which the map marks as sensitive: a picture would show it`);
  if (saliency.by === 'activation') checkActivation(manifest, saliency, at);
  else checkPatches(saliency, { ...imageLayout(definition, shape), count: elementCount(shape) }, at);
}

/** Whether it is known how much an image moves it: two numbers of classes have no difference. */
export function hasSaliency(outcome: Outcome): boolean {
  return outcome.kind !== 'class' || outcome.column === undefined;
}

function checkPatches(
  { patch, stride }: OcclusionSaliency,
  { rows, columns, count }: { readonly rows: number; readonly columns: number; readonly count: number },
  at: Find,
): void {
  const fits = patch[0] <= rows && patch[1] <= columns;
  if (!fits) at('/patch', `is ${patch.join(' × ')} pixels, and the tensor has ${rows} × ${columns}`);
  const leavesNone = stride[0] <= patch[0] && stride[1] <= patch[1];
  if (!leavesNone)
    at('/stride', `is ${stride.join(' × ')}: what lies between patches of ${patch.join(' × ')} would be left out`);
  if (count > mostNumbers)
    at(
      '/by',
      `is occlusion, for images of up to ${mostNumbers} numbers; this has ${count}. Take an activation of the graph`,
    );
  if (!fits || !leavesNone) return;
  const patches = patchStarts(rows, patch[0], stride[0]).length * patchStarts(columns, patch[1], stride[1]).length;
  if (patches > mostPatches)
    at('/stride', `makes ${patches} patches, each a run of the model; allowed are ${mostPatches}: take wider strides`);
}

function checkActivation(
  { outcomes, ...manifest }: Manifest,
  { output, grid, ...saliency }: ActivationSaliency,
  at: Find,
): void {
  const outputs = outputTensors(manifest);
  const declared = outputs.find(({ name }) => name === output);
  if (declared === undefined) {
    at('/output', `is ${output}, which is no declared output; there are ${outputs.map(({ name }) => name).join(', ')}`);
    return;
  }
  if (declared.type === 'string') at('/output', `is ${output}, which holds texts`);
  const cells = grid[0] * grid[1];
  const about = outcomes.filter((each) => hasSaliency(each) && (saliency.outcomes ?? [each.id]).includes(each.id));
  for (const outcome of about) {
    const maps = declared.columns / cells;
    const classes = outcome.kind === 'class' ? outcome.classes.length : 0;
    if (maps !== 1 && maps !== classes && maps !== outcomes.length)
      at(
        '/grid',
        `has ${cells} cells and ${output} ${declared.columns} columns; for ${outcome.id} it needs one map, one for each outcome${classes === 0 ? '' : `, or one for each of ${classes} classes`}`,
      );
  }
}
