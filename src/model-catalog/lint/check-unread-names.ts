import { isCodeReference, listsOf } from '../code-lists.ts';
import type { FeatureMapFile } from '../feature-map-schema.ts';
import type { Finding } from '../finding.ts';
import type { ReadValueSet } from '../read-value-sets.ts';

/** Value sets and concepts that no list of codes names: a reader takes them for a part of the model. */
export function checkUnreadNames(map: FeatureMapFile, valueSets: readonly ReadValueSet[]): Finding[] {
  const ofFeatures = namesIn(map.features);
  const ofConcepts = namesIn(map.concepts ?? {});
  const findings: Finding[] = [];
  for (const { name, file } of valueSets) {
    if (!ofFeatures.valueSets.has(name) && !ofConcepts.valueSets.has(name))
      findings.push({
        file,
        path: '',
        message: 'is named by no list of codes in feature-map.json; use it or remove it',
      });
  }
  for (const name of Object.keys(map.concepts ?? {})) {
    if (!ofFeatures.concepts.has(name))
      findings.push({
        file: 'feature-map.json',
        path: `/concepts/${name}`,
        message: 'is named by no feature; use it or remove it',
      });
  }
  return findings;
}

function namesIn(part: object): { readonly valueSets: ReadonlySet<string>; readonly concepts: ReadonlySet<string> } {
  const valueSets = new Set<string>();
  const concepts = new Set<string>();
  listsOf(part, (entries) => {
    for (const entry of entries) {
      if (!isCodeReference(entry)) continue;
      if ('valueSet' in entry) valueSets.add(entry.valueSet);
      else concepts.add(entry.concept);
    }
    return [];
  });
  return { valueSets, concepts };
}
