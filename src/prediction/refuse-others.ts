import { PredictionError } from '../platform/errors.ts';
import type { PredictableModel } from './prediction-parts.ts';

/** Throws VERSION_NOT_WRITABLE for a version that is no default: what it says is never written back. */
export function refuseOthers({ manifest: { id, version }, state }: Pick<PredictableModel, 'manifest' | 'state'>): void {
  if (state === 'default') return;
  throw new PredictionError(
    'VERSION_NOT_WRITABLE',
    `${id}@${version} is a ${state}: only results of the default version of ${id} are written back. Leave out writeBack, leave out the version, or have it promoted: fhirsight models promote ${id}@${version}`,
  );
}
