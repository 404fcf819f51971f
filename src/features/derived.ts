import { isPlainNumber } from '../fhir/plain-number.ts';
import { compileExpression } from '../model-catalog/expression.ts';
import type { DerivedDefinition } from '../model-catalog/feature-map-schema.ts';
import { type FeatureExtractor, missing, unsayable } from './feature-extractor.ts';
import type { FeatureValue, SourceReference } from './feature-vector.ts';
import { pickDate } from './pick-by-content.ts';
import { isWithin } from './same-number.ts';

/** Arithmetic over other features. It is as old as the oldest of them, and missing when one of them is. */
export function compileDerived(definition: DerivedDefinition): { extract: FeatureExtractor; reads: readonly string[] } {
  const { reads, evaluate } = compileExpression(definition.expression);
  const extract: FeatureExtractor = (context) => {
    const { values } = context;
    const sources = new Set<SourceReference>();
    const absent: string[] = [];
    const dates: string[] = [];
    for (const name of reads) {
      const input = values.get(name);
      for (const source of input?.sources ?? []) sources.add(source);
      if (input === undefined || input.state === 'missing') absent.push(name);
      else if ('at' in input && input.at !== undefined) dates.push(input.at);
    }
    if (absent.length > 0) {
      return {
        state: 'missing',
        because: 'input-missing',
        detail: `${definition.label} needs ${absent.join(', ')}`,
        needs: absent,
        sources: [...sources],
      };
    }
    const value = evaluate((name) => scalarOf(values.get(name)));
    if (!isPlainNumber(value)) return unsayable(definition.label, [...sources]);
    if (definition.plausible !== undefined && !isWithin(value, ...definition.plausible)) {
      return missing(
        'implausible',
        `${definition.label} lies outside ${definition.plausible.join(' to ')} ${definition.unit}`,
        [...sources],
      );
    }
    const at = pickDate(context, dates, 'earliest');
    return at === undefined
      ? { state: 'derived', value, from: reads, sources: [...sources] }
      : { state: 'derived', value, at, from: reads, sources: [...sources] };
  };
  return { extract, reads };
}

function scalarOf(input: FeatureValue | undefined): number | boolean | string {
  if (input === undefined || input.state === 'missing')
    throw new Error('a derived feature was computed from a missing one');
  return input.value;
}
