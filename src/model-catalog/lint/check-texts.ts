import type { Finding } from '../finding.ts';
import { inputColumns } from '../model-tensors.ts';
import type { LintedModel } from './linted-model.ts';

/** A text that no input column takes is read from every record for the training matrix alone: its author has to want that. */
export function checkTexts({ manifest, featureMap }: LintedModel): Finding[] {
  const taken = new Set(inputColumns(manifest).map(({ feature }) => feature));
  return Object.entries(featureMap.features)
    .filter(([name, { kind }]) => kind === 'text' && !taken.has(name))
    .map(([name]) => ({
      file: 'feature-map.json',
      path: `/features/${name}`,
      message:
        'is a text, which no input column takes: only fhirsight extract writes it, and every prediction reads it for nothing; keep it where a model is to be trained on it, else remove it',
    }));
}
