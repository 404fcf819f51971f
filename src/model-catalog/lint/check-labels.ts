import type { FeatureMap } from '../feature-map-schema.ts';
import type { Finding } from '../finding.ts';

/** No two features may be shown by the same words. */
export function checkLabels({ features }: FeatureMap): Finding[] {
  const first = new Map<string, string>();
  return Object.entries(features).flatMap(([name, { label }]) => {
    const words = label.trim().toLowerCase();
    const other = first.get(words);
    if (other === undefined) {
      first.set(words, name);
      return [];
    }
    const message = `is "${label}", as that of ${other}: nobody could tell the two inputs apart`;
    return [{ file: 'feature-map.json', path: `/features/${name}/label`, message }];
  });
}
