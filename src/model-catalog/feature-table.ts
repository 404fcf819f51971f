import type { FeatureDefinition, FeatureMap } from './feature-map-schema.ts';
import { featureType } from './feature-type.ts';
import { codesOfFeatureMap } from './lint/code-uses.ts';
import { missingPolicyOf } from './missing-input.ts';
import { gridWindow } from './sequence-grid.ts';

const head = ['feature', 'meaning', 'kind', 'codes', 'value', 'window', 'taken', 'where it is missing'];

/** The features of a map as a table in Markdown, in the order of the map: for documents and cards. */
export function featureTable(map: FeatureMap): string {
  const rows = Object.entries(map.features).map(([name, definition]) => [
    `\`${name}\``,
    definition.label,
    definition.kind,
    codesOf(map, name, definition),
    valueText(definition),
    definition.kind === 'sequence' ? gridWindow(definition) : textOf(definition, 'window'),
    definition.kind === 'sequence' ? definition.each : textOf(definition, 'pick'),
    missingOf(definition),
  ]);
  const lines = [head, ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |\n`);
  return lines.toSpliced(1, 0, `|${'---|'.repeat(head.length)}\n`).join('');
}

/** How many codes are looked for. */
function codesOf(map: FeatureMap, name: string, definition: FeatureDefinition): string {
  const uses = codesOfFeatureMap({ ...map, features: { [name]: definition } });
  const count = new Set(uses.map(({ system, code }) => `${system}|${code}`)).size;
  return count === 0 ? '' : String(count);
}

function valueText(definition: FeatureDefinition): string {
  const value = featureType(definition);
  if (value.type === 'sequence') return `${value.unit}, ${value.plausible.join(' to ')}, in ${value.steps} bins`;
  if (value.type === 'text') return `a text of at most ${value.maxLength} characters`;
  if (value.type === 'image') return `an image as [${value.shape.join(', ')}] numbers`;
  if (value.type === 'boolean') return 'yes or no';
  if (value.type === 'code') return value.vocabulary.join(', ');
  return value.plausible === undefined || value.plausible[1] === Number.MAX_SAFE_INTEGER
    ? value.unit
    : `${value.unit}, ${value.plausible[0]} to ${value.plausible[1]}`;
}

function textOf(definition: FeatureDefinition, key: 'window' | 'pick'): string {
  const value: unknown = key in definition ? definition[key as keyof FeatureDefinition] : undefined;
  return typeof value === 'string' ? value : '';
}

/** For every reason that is not named the model abstains. */
function missingOf(definition: FeatureDefinition): string {
  const { impute = [], indicate, nan } = missingPolicyOf(definition) ?? {};
  const parts = impute.map(({ because, value, when }) => {
    const where = when === undefined ? '' : ` where ${when.feature} is ${String(when.equals)}`;
    return `${String(value)} for ${because.join(', ')}${where}`;
  });
  if (indicate !== undefined) parts.push(`an indicator for ${indicate.because.join(', ')}`);
  if (nan !== undefined) parts.push(`NaN for ${nan.because.join(', ')}`);
  const absent = 'absent' in definition ? definition.absent : undefined;
  if (absent !== undefined)
    parts.push(`none found is ${absent.assume === 0 ? '0' : 'no'}, with an encounter within ${absent.encounterWithin}`);
  return ['abstain', ...parts].join('; ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
