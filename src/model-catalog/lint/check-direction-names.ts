import type { Finding } from '../finding.ts';
import { inputColumns } from '../model-tensors.ts';
import { valueKind } from '../value-kind.ts';
import type { LintedModel } from './linted-model.ts';

/** Every direction must be that of a number or a yes or no that fills a column, for outcomes that are there. */
export function checkDirectionNames({ manifest, featureMap }: LintedModel): Finding[] {
  const outcomes = manifest.outcomes.map(({ id }) => id);
  const columns = inputColumns(manifest).map(({ feature }) => feature);
  return Object.entries(manifest.directions ?? {}).flatMap(([feature, declared]) => {
    const path = `/directions/${feature}`;
    const found = (message: string): Finding => ({ file: 'manifest.json', path, message });
    if (!columns.includes(feature)) return [found(`is no input column; the model has: ${columns.join(', ')}`)];
    const definition = featureMap.features[feature];
    const kind = definition && valueKind(definition);
    if (kind === 'code' || kind === 'image')
      return [found(`is ${kind === 'code' ? 'a code' : 'an image'}, which neither rises nor falls; remove it`)];
    const ids = typeof declared === 'string' ? [] : Object.keys(declared);
    return ids
      .filter((id) => !outcomes.includes(id))
      .map((id) => ({ ...found(`is no outcome; the model has: ${outcomes.join(', ')}`), path: `${path}/${id}` }));
  });
}
