import type { FeatureMap } from '../feature-map-schema.ts';
import type { Finding } from '../finding.ts';

/** A text is read from every record, but only the training matrix holds it: its author has to want that. */
export function checkTexts({ features }: FeatureMap): Finding[] {
  return Object.entries(features)
    .filter(([, { kind }]) => kind === 'text')
    .map(([name]) => ({
      file: 'feature-map.json',
      path: `/features/${name}`,
      message:
        'is a text, which no input column can take: only fhirsight extract writes it, and every prediction reads it for nothing; keep it where a model is to be trained on it, else remove it',
    }));
}
