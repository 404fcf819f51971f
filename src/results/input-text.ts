import type { FeatureValue } from '../features/feature-vector.ts';
import { imageText } from './image-text.ts';

/** `151 mmHg (2026-01-10)`; an assumption says that it is one. `missing` where there is no value. */
export function inputText(value: FeatureValue | undefined, unitText: string): string {
  if (value === undefined || value.state === 'missing') return 'missing';
  const text = scalarText(value, unitText);
  const date = 'at' in value ? value.at?.slice(0, 10) : undefined;
  const said = [
    ...(value.state === 'assumed-absent' ? ['assumed: nothing recorded'] : []),
    ...(value.state === 'asserted' || value.state === 'imputed' ? [value.state] : []),
    ...(date === undefined ? [] : [value.state === 'assumed-absent' ? `last encounter ${date}` : date]),
  ];
  return said.length === 0 ? text : `${text} (${said.join(', ')})`;
}

function scalarText(input: Exclude<FeatureValue, { state: 'missing' }>, unitText: string): string {
  const { value } = input;
  // Who may read a result may not be who may read the note.
  if (input.state === 'observed' && input.text !== undefined) return `text of ${value} characters`;
  if (input.state === 'observed' && input.image !== undefined) return imageText(input);
  if (input.state === 'derived' && input.steps !== undefined)
    return `${value} of ${input.steps.value.length} bins measured`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : `${Number(value.toPrecision(6))} ${unitText}`.trimEnd();
}
