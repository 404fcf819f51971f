import type { Catalog } from '../../model-catalog/catalog.ts';
import { PredictionError } from '../../platform/errors.ts';
import { standingOf } from './describe-model.ts';

/**
 * `GET /models/{id}/versions/{version}`: what a version may do, and the tests by which it came to be served or was refused.
 * Throws MODEL_UNKNOWN where there is no such folder.
 */
export function versionReport(catalog: Catalog, id: string, version: string): Record<string, unknown> {
  const served = catalog.list().find(({ manifest }) => manifest.id === id && manifest.version === version);
  const refused = catalog.refused.find(({ dir }) => dir === `${id}/${version}`);
  if (served !== undefined) {
    return {
      id,
      version,
      ...standingOf(catalog, served),
      // Its folder is not what it was: what is served is what was tested.
      ...(refused === undefined ? {} : { refusedFolder: refused.reason }),
      registration: served.registration,
    };
  }
  if (refused?.report !== undefined)
    return { id, version, state: 'refused', reason: refused.reason, registration: refused.report };
  const known = [
    ...catalog.list().map(({ manifest }) => `${manifest.id}/versions/${manifest.version}`),
    ...catalog.refused.flatMap(({ dir }) => (dir.includes('/') ? [dir.replace('/', '/versions/')] : [])),
  ];
  throw new PredictionError(
    'MODEL_UNKNOWN',
    `There is no version ${version} of a model ${id}. Below /models there are ${known.join(', ') || 'none'}.`,
  );
}
