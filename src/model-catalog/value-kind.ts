import { weekdays } from './appointment-schema.ts';
import type { FeatureDefinition } from './feature-map-schema.ts';

/** What a feature's value is: a number in its unit, yes or no, a code of its vocabulary, a text, numbers on a grid of time, or those of an image. */
export type ValueKind = 'number' | 'boolean' | 'code' | 'text' | 'sequence' | 'image';

export function valueKind(definition: FeatureDefinition): ValueKind {
  switch (definition.kind) {
    case 'demographics':
      return definition.element === 'age' ? 'number' : 'code';
    case 'address':
      return definition.unit === undefined ? 'code' : 'number';
    case 'category':
      return 'code';
    case 'text':
      return 'text';
    case 'sequence':
      return 'sequence';
    case 'image':
      return 'image';
    case 'observation':
    case 'encounter':
    case 'derived':
      return 'number';
    case 'procedure':
    case 'service-request':
      return (definition.pick ?? 'any') === 'any' ? 'boolean' : 'number';
    case 'appointment':
      return definition.pick === 'weekday' ? 'code' : 'number';
    case 'model':
      return definition.unit === undefined ? 'code' : 'number';
    case 'input':
    case 'questionnaire':
      if (definition.unit !== undefined) return 'number';
      return definition.vocabulary === undefined ? 'boolean' : 'code';
    case 'first-of':
      return definition.unit === undefined ? 'boolean' : 'number';
    case 'answer':
    case 'condition':
    case 'medication':
    case 'allergy':
    case 'family-history':
      return 'boolean';
  }
}

/** UCUM unit of a feature that is a number, of the length of a text, or of the frames of an image: a count has none, a slope is a change for each unit of time. */
export function unitOf(definition: FeatureDefinition): string | undefined {
  if (definition.kind === 'text') return '{character}';
  if (definition.kind === 'image') return '{frame}';
  if (valueKind(definition) !== 'number') return undefined;
  if (definition.kind === 'demographics') return definition.unit ?? 'a';
  if (definition.kind === 'appointment') {
    if (definition.pick === 'hour') return 'h';
    return definition.pick === 'no-shows' ? '1' : definition.per;
  }
  if (definition.kind === 'encounter' && definition.pick === 'nights') return 'd';
  if (definition.kind === 'encounter' || definition.kind === 'procedure' || definition.kind === 'service-request')
    return definition.pick === 'count' ? '1' : definition.per;
  if (definition.kind !== 'observation') return 'unit' in definition ? definition.unit : undefined;
  switch (definition.pick) {
    case 'count':
      return '1';
    case 'slope':
      return `${definition.unit}/${definition.per}`;
    case 'time-since':
      return definition.per;
    default:
      return definition.unit;
  }
}

/** The codes a coded feature can have; empty for every other feature. */
export function vocabularyOf(definition: FeatureDefinition): readonly string[] {
  if (definition.kind === 'appointment') return definition.pick === 'weekday' ? weekdays : [];
  if (definition.kind === 'input' || definition.kind === 'model') return definition.vocabulary ?? [];
  if (definition.kind === 'category') return Object.keys(definition.levels);
  const isCoded =
    definition.kind === 'demographics' || definition.kind === 'questionnaire' || definition.kind === 'address';
  return isCoded ? Object.keys(definition.vocabulary ?? {}) : [];
}
