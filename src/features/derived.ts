import { compileExpression } from '../model-catalog/expression.ts';
import type { DerivedDefinition } from '../model-catalog/feature-map-schema.ts';
import { type FeatureExtractor, missing } from './feature-extractor.ts';
import type { FeatureValue, SourceReference } from './feature-vector.ts';

/** Arithmetic over other features. It is as old as the oldest of them, and missing when one of them is. */
export function compileDerived(definition: DerivedDefinition): { extract: FeatureExtractor; reads: readonly string[] } {
  const { reads, evaluate } = compileExpression(definition.expression);
  const extract: FeatureExtractor = (context) => {
    const inputs = reads.map((name) => ({ name, input: context.values.get(name) }));
    const sources = distinct(inputs.flatMap(({ input }) => input?.sources ?? []));
    const absent = inputs
      .filter(({ input }) => input === undefined || input.state === 'missing')
      .map(({ name }) => name);
    if (absent.length > 0) {
      return {
        state: 'missing',
        because: 'input-missing',
        detail: `${definition.label} needs ${absent.join(', ')}`,
        needs: absent,
        sources,
      };
    }
    const value = evaluate((name) => scalarOf(context.values.get(name)));
    if (!Number.isFinite(value))
      return missing('not-computable', `${definition.label} gives no finite number`, sources);
    if (definition.plausible !== undefined && (value < definition.plausible[0] || value > definition.plausible[1])) {
      return missing(
        'implausible',
        `${definition.label} lies outside ${definition.plausible.join(' to ')} ${definition.unit}`,
        sources,
      );
    }
    const times = inputs.flatMap(({ input }) =>
      input !== undefined && 'at' in input && input.at !== undefined ? [input.at] : [],
    );
    const at = times.reduce<string | undefined>(
      (oldest, time) => (oldest === undefined || Date.parse(time) < Date.parse(oldest) ? time : oldest),
      undefined,
    );
    return { state: 'derived', value, ...(at === undefined ? {} : { at }), from: reads, sources };
  };
  return { extract, reads };
}

/** Two inputs may come from one resource; it is named once. */
function distinct(sources: readonly SourceReference[]): SourceReference[] {
  return [...new Map(sources.map((source) => [`${source.reference} ${source.display}`, source])).values()];
}

function scalarOf(input: FeatureValue | undefined): number | boolean | string {
  if (input === undefined || input.state === 'missing')
    throw new Error('a derived feature was computed from a missing one');
  return input.value;
}
