import type { Catalog } from '../../model-catalog/catalog.ts';
import type { findOutput } from '../../model-catalog/model-outputs.ts';
import type { LoadedVersion } from '../../model-catalog/model-version.ts';
import { PredictionError } from '../../platform/errors.ts';

/**
 * The versions that an output is asked for: the model of the address, then those of `with`, as `id` or `id@version`.
 * Throws PARAMETER_INVALID, MODEL_UNKNOWN, MODEL_NOT_READY.
 */
export function versionsAsked(
  catalog: Catalog,
  model: LoadedVersion,
  output: NonNullable<ReturnType<typeof findOutput>>,
  query: Readonly<Record<string, unknown>>,
): LoadedVersion[] {
  const others = query.with === undefined ? [] : [query.with].flat().map(String);
  if (others.length > 0 && !output.joins) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      'This is about one model; with is for bulk-export and scopes. Ask for each model by itself.',
    );
  }
  const named = others.map((other) => {
    const [id = '', version, ...rest] = other.split('@');
    if (rest.length > 0)
      throw new PredictionError('PARAMETER_INVALID', 'with names a model as its id, or as id@version.');
    return catalog.describe(id, version);
  });
  return [model, ...named];
}
