import type { CompiledFeatureMap } from '../features/compile-feature-map.ts';
import type { FeatureValue } from '../features/feature-vector.ts';
import { clippedTo, type InputColumn } from '../model-catalog/column-value.ts';

/**
 * What the own result of a model would say of its inputs beside their values, for whoever reads its output as an input of
 * another: what was imputed, assumed, missing on purpose, clipped, or came from yet another model.
 */
export function inputRemarks(
  { features: compiled }: Pick<CompiledFeatureMap, 'features'>,
  columns: readonly InputColumn[],
  features: ReadonlyMap<string, FeatureValue>,
): string[] {
  const said = new Set<string>();
  for (const [name, value] of features) {
    const label = compiled.get(name)?.label ?? name;
    if (value.state === 'imputed') said.add(`imputed there: ${label} (${value.detail})`);
    if (value.state === 'assumed-absent') said.add(`assumed absent there: ${label} (${value.detail})`);
    if (value.state === 'missing') said.add(`missing there: ${label} (${value.detail})`);
    if (value.state === 'observed' && value.detail !== undefined)
      said.add(`${aboutDetail(value)} there: ${label} (${value.detail})`);
    if (value.state === 'derived' && value.model !== undefined) said.add(`used there: ${label} (${value.detail})`);
  }
  for (const column of columns) {
    const value = features.get(column.feature);
    const label = compiled.get(column.feature)?.label ?? column.feature;
    if (isClipped(column, value)) said.add(`clipped there: ${label}`);
  }
  return [...said];
}

function aboutDetail({ text, image }: Extract<FeatureValue, { state: 'observed' }>): string {
  if (image !== undefined) return 'image';
  return text === undefined ? 'unit' : 'cut';
}

function isClipped(column: InputColumn, value: FeatureValue | undefined): boolean {
  if (column.transform === undefined || value === undefined || value.state === 'missing') return false;
  const steps = value.state === 'derived' ? value.steps : undefined;
  const number = column.at === undefined ? value.value : steps?.[column.at.channel][column.at.bin];
  return typeof number === 'number' && clippedTo(column, number) !== undefined;
}
