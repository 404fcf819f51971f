import type { Catalog } from '../../src/model-catalog/catalog.ts';
import { inputColumns } from '../../src/model-catalog/model-tensors.ts';
import { outcomeScore } from '../../src/model-catalog/outcome-score.ts';

/** One person of an equation: a number or a code by the name of the feature. */
export type Person = Readonly<Record<string, number | string>>;

/** Runs people through a model at the engine, beside its population: scores by outcome id. Nothing is missing. */
export async function scorePeople(
  catalog: Catalog,
  model: string,
  people: readonly Person[],
): Promise<Record<string, number>[]> {
  const { manifest, run } = catalog.find(model);
  const rows = people.map((person) =>
    inputColumns(manifest).map(({ feature, encode, indicator }) => {
      if (indicator !== undefined) return 0;
      const value = person[feature];
      const number = typeof value === 'string' ? encode?.[value] : value;
      if (number === undefined) throw new Error(`${feature} has no number for ${value}`);
      return number;
    }),
  );
  const outputs = await run(rows);
  return outputs.map((output) =>
    Object.fromEntries(manifest.outcomes.map((outcome) => [outcome.id, outcomeScore(outcome, output)])),
  );
}
