import { deviceCardMarkdown } from './model-catalog/card/render-card.ts';
import type { Catalog } from './model-catalog/catalog.ts';
import { createLiveCatalog, type LiveCatalog } from './model-catalog/live-catalog.ts';
import type { LoadedVersion } from './model-catalog/model-version.ts';
import { highestStands, type Standing } from './model-catalog/standing.ts';
import { whileOn } from './model-catalog/while-on.ts';
import type { NamedModel } from './prediction/prediction-outcome.ts';
import type { PredictableModel } from './prediction/prediction-parts.ts';
import { modelDevice } from './results/model-device.ts';
import type { LoadedModels } from './wire-models.ts';

/** Finds the version that answers a call, as the path needs it. Throws MODEL_UNKNOWN, MODEL_NOT_READY, MODEL_DISABLED. */
export type FindModel = (id: string, version?: string) => PredictableModel;

/** The models as they are served. */
export interface ServedModels {
  readonly catalog: LiveCatalog;
  readonly find: FindModel;
  /**
   * For all that one prediction asks of models: whatever is loaded, promoted or removed meanwhile, it finds what was served
   * when it began. Only what is switched off stops at once.
   */
  borrowed<T>(work: (find: FindModel) => Promise<T>): Promise<T>;
}

/** @param standing which of the versions may speak, the same object as long as no state changes; absent: the highest */
export function serveModels(
  models: LoadedModels,
  standing: () => Standing = (() => {
    const highest = highestStands(models.contents.versions);
    return () => highest;
  })(),
): ServedModels {
  const catalog = createLiveCatalog(models.contents, standing);
  const made = new WeakMap<LoadedVersion, Omit<PredictableModel, 'state'>>();
  const predictable = (version: LoadedVersion, served: Catalog): Omit<PredictableModel, 'state'> => {
    const known = made.get(version);
    if (known !== undefined) return known;
    const { manifest, digest, engine, site, uses, run } = version;
    const model = {
      manifest,
      digest,
      engine,
      run: whileOn(catalog, version, run),
      // What is used was loaded with the same digest, and stays as long as its user.
      uses: uses.map((used) => predictable(served.describe(used.manifest.id, used.manifest.version), served)),
      device: deviceOf(version),
      ...(site === undefined ? {} : { site }),
      ...models.compiledOf(version),
    };
    made.set(version, model);
    return model;
  };
  const finder =
    (served: () => Catalog): FindModel =>
    (id, version) => {
      const found = served().find(id, version);
      return { ...predictable(found, served()), state: served().stateOf(found) };
    };
  return {
    catalog,
    find: finder(() => catalog.current()),
    async borrowed(work) {
      const borrowed = catalog.borrow();
      try {
        return await work(finder(() => borrowed.catalog));
      } finally {
        borrowed.giveBack();
      }
    },
  };
}

/** What results of the version name as their maker. */
export function deviceOf(version: LoadedVersion): PredictableModel['device'] {
  const { manifest, digest, engine, site } = version;
  const { id, version: number, title } = manifest;
  const model = { id, version: number, title, digest, manifest, engine, ...(site === undefined ? {} : { site }) };
  return modelDevice(model, deviceCardMarkdown(version));
}

/** The loaded version that a call names; undefined where it names none, whatever it names instead. */
export function namedModel(catalog: Catalog, id: string, version: string | undefined): NamedModel | undefined {
  const own = catalog.list().filter(({ manifest }) => manifest.id === id);
  const found =
    version === undefined
      ? own.find((each) => catalog.stateOf(each) === 'default')
      : own.find(({ manifest }) => manifest.version === version);
  return found && { id, version: found.manifest.version, digest: found.digest };
}

/** Versions that are scored beside the one that answered; none where that is not the default. */
export function shadowVersions(catalog: Catalog, shown: NamedModel): string[] {
  const own = catalog.list().filter(({ manifest }) => manifest.id === shown.id);
  const isDefault = own.some((each) => each.manifest.version === shown.version && catalog.stateOf(each) === 'default');
  if (!isDefault) return [];
  return own
    .filter((each) => catalog.stateOf(each) === 'shadow' && catalog.switchedOff(each) === undefined)
    .map(({ manifest }) => manifest.version);
}
