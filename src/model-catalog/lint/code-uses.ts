import type { FeatureMapFile } from '../feature-map-schema.ts';
import type { Manifest } from '../manifest-schema.ts';
import type { Outcome } from '../outcome-schema.ts';
import type { ReadValueSet } from '../read-value-sets.ts';

/** One code of a code system, and where the model names it. */
export interface CodeUse {
  readonly file: string;
  /** JSON Pointer */
  readonly path: string;
  readonly system: string;
  readonly code: string;
}

/** Every `system|code` of the features and concepts, whatever list it stands in. */
export function codesOfFeatureMap(map: FeatureMapFile): CodeUse[] {
  const uses: CodeUse[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node === 'string') {
      const [, system, code] = /^([^|\s]+)\|([^|\s]+)$/.exec(node) ?? [];
      if (system !== undefined && code !== undefined) uses.push({ file: 'feature-map.json', path, system, code });
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      // Words that people read, and the only texts of a list that are no codes.
      const isProse = typeof child === 'string' ? !Array.isArray(node) : key === 'suspectText';
      if (!isProse) visit(child, `${path}/${key}`);
    }
  };
  visit(map.features, '/features');
  visit(map.concepts, '/concepts');
  return uses;
}

export function codesOfValueSets(valueSets: readonly ReadValueSet[]): CodeUse[] {
  return valueSets.flatMap(({ file, codes }) => codes.map((code) => ({ file, ...code })));
}

/** The codings of the outcomes, and of their classes. */
export function codesOfManifest({ outcomes }: Manifest): CodeUse[] {
  const uses = (coding: Outcome['coding'], path: string): CodeUse[] =>
    (coding ?? []).map(({ system, code }, index) => ({
      file: 'manifest.json',
      path: `${path}/${index}`,
      system,
      code,
    }));
  return outcomes.flatMap((outcome, index) => {
    const path = `/outcomes/${index}`;
    const classes = outcome.kind === 'class' ? outcome.classes : [];
    return [
      ...uses(outcome.coding, `${path}/coding`),
      ...classes.flatMap(({ coding }, place) => uses(coding, `${path}/classes/${place}/coding`)),
    ];
  });
}
