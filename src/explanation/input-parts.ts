import type { FeatureValue } from '../features/feature-vector.ts';
import { sequenceSteps } from '../features/sequence-steps.ts';
import { type InputColumn, sequenceColumnValue } from '../model-catalog/column-value.ts';
import type { FeatureMap } from '../model-catalog/feature-map-schema.ts';
import type { ModelRow } from '../model-catalog/model-row.ts';
import { PredictionError } from '../platform/errors.ts';
import type { FeaturePart } from './contribution.ts';

/** A model row without one part of an input. */
export interface RowWithoutPart {
  readonly feature: string;
  readonly part: FeaturePart;
  readonly row: ModelRow;
}

/** More words than a note has that a model of this house is asked about. */
const mostWords = 500;

/**
 * The model row without each part of some inputs in turn: a sequence as it would be had one of its bins no measurement
 * (what then fills that bin and those after it, the map says), a text without one of its words. A bin without a measurement
 * is no part, and nothing is left out of an input that is missing.
 * Throws INFERENCE_FAILED for a text of more than 500 words.
 */
export function rowsWithoutParts(
  names: readonly string[],
  columns: readonly InputColumn[],
  inputs: ModelRow,
  features: ReadonlyMap<string, FeatureValue>,
  map: Pick<FeatureMap, 'features'>,
): RowWithoutPart[] {
  return names.flatMap((feature) => {
    const value = features.get(feature);
    const definition = map.features[feature];
    const replaced = (change: (column: InputColumn) => number | string | undefined): ModelRow =>
      columns.map((column, index) =>
        column.feature === feature ? (change(column) ?? Number.NaN) : (inputs[index] ?? Number.NaN),
      );
    if (value?.state === 'derived' && value.steps !== undefined && definition?.kind === 'sequence') {
      const { steps } = value;
      const measured = new Map(
        [...steps.mask.keys()]
          .filter((bin) => steps.mask[bin] === 1)
          .map((bin) => [bin, steps.value[bin] ?? Number.NaN]),
      );
      return [...measured.keys()].map((bin): RowWithoutPart => {
        const others = new Map([...measured].filter(([each]) => each !== bin));
        const without = sequenceSteps(definition, others);
        return { feature, part: { kind: 'bin', bin }, row: replaced((column) => sequenceColumnValue(column, without)) };
      });
    }
    if (value?.state === 'observed' && value.text !== undefined) {
      const { content } = value.text;
      return wordsOf(feature, content).map(({ from, to }, index): RowWithoutPart => {
        const without = `${content.slice(0, from)}${content.slice(to)}`;
        return { feature, part: { kind: 'word', index }, row: replaced(() => without) };
      });
    }
    return [];
  });
}

/** Where each word begins and where the next one does: what lies between goes with it. */
function wordsOf(feature: string, content: string): { readonly from: number; readonly to: number }[] {
  const starts = [...content.matchAll(/\S+/g)].map(({ index }) => index);
  if (starts.length > mostWords)
    throw new PredictionError(
      'INFERENCE_FAILED',
      `${feature} has ${starts.length} words; contributions of words are worked out for up to ${mostWords}. Let the map cut it (\`maxLength\`), or leave it out of explanation.parts.`,
    );
  return starts.map((from, index) => ({ from, to: starts[index + 1] ?? content.length }));
}
