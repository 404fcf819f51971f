import type { FeatureDefinition } from './feature-map-schema.ts';

/** What a feature's value is: a number in its unit, yes or no, or a code of its vocabulary. */
export function valueKind(definition: FeatureDefinition): 'number' | 'boolean' | 'code' {
  switch (definition.kind) {
    case 'demographics':
      return definition.element === 'age' ? 'number' : 'code';
    case 'observation':
    case 'derived':
      return 'number';
    case 'answer':
    case 'condition':
    case 'medication':
      return 'boolean';
  }
}

/** The codes a coded feature can have; empty for every other feature. */
export function vocabularyOf(definition: FeatureDefinition): readonly string[] {
  return definition.kind === 'demographics' ? Object.keys(definition.vocabulary ?? {}) : [];
}
