import type { LoadedVersion } from './model-catalog/model-version.ts';
import type { Standing } from './model-catalog/standing.ts';
import { type MustStay, withStillNeeded } from './model-catalog/without-folder.ts';
import { PredictionError } from './platform/errors.ts';
import type { Logger } from './platform/logger.ts';
import type { LoadedModels } from './wire-models.ts';
import type { ServedModels } from './wire-served-models.ts';

/** What a reload came to. Versions are named `id@version`. */
export interface ReloadReport {
  /** New, and passed all tests: candidates until they are promoted. */
  readonly loaded: readonly string[];
  /** Served before, and as they were. */
  readonly kept: readonly string[];
  /** Served no more; released once nobody works with them. */
  readonly removed: readonly string[];
  /** Folders that are not served as they are; a version that was served goes on as it was. */
  readonly refused: readonly { readonly folder: string; readonly reason: string }[];
  readonly reloadMs: number;
}

export interface Reloader {
  /**
   * Loads what is new in MODELS_DIR beside what is served, tests it, and serves it from one instant to the next. Reloads
   * follow each other. Throws CONFIG_INVALID where MODELS_DIR cannot be read, and SHUTTING_DOWN once it is closed; nothing has
   * changed then.
   */
  reload(): Promise<ReloadReport>;
  /** Ends the reload under way after the folder that it is at. Resolves when it has ended, and what was removed is released. */
  close(): Promise<void>;
}

export interface ReloaderOptions {
  readonly loaded: Pick<LoadedModels, 'loadAgain'>;
  readonly served: Pick<ServedModels, 'catalog'>;
  readonly standing: () => Standing;
  /** Versions (`id@version`) that something that goes on needs, with what that is. */
  readonly inUse: () => Promise<ReadonlyMap<string, string>>;
  readonly logger: Logger;
}

export function createReloader({ loaded, served, standing, inUse, logger }: ReloaderOptions): Reloader {
  const { catalog } = served;
  let last: Promise<unknown> = Promise.resolve();
  const releasing = new Set<Promise<void>>();
  const closing = new AbortController();

  const isDefault = ({ manifest, digest }: LoadedVersion): boolean => {
    const named = standing().defaultOf(manifest.id);
    return named?.version === manifest.version && named.digest === digest;
  };
  const reload = async (): Promise<ReloadReport> => {
    const started = performance.now();
    const serving = catalog.contents();
    let used: ReadonlyMap<string, string> = new Map();
    const mustStay: MustStay = (version) =>
      isDefault(version) ? 'it is the default of its model' : used.get(version.key);
    const found = await loaded.loadAgain(serving, {
      signal: closing.signal,
      mustStay: async () => {
        used = await inUse();
        return mustStay;
      },
    });
    // Runs were begun and versions promoted while models were loaded. From here to the swap nothing is waited for.
    const next = withStillNeeded(found, serving, mustStay);
    const { removed, released } = catalog.swap(next);
    const letGo = released
      .then(() => {
        for (const { key } of removed) logger.event({ name: 'model.released', model: key });
      })
      .catch((error: unknown) => logger.event({ name: 'error.unexpected', error }))
      .finally(() => releasing.delete(letGo));
    releasing.add(letGo);
    const kept = next.versions.filter((version) => serving.versions.includes(version));
    const added = next.versions.filter((version) => !kept.includes(version));
    const report: ReloadReport = {
      loaded: added.map(({ key }) => key),
      kept: kept.map(({ key }) => key),
      removed: removed.map(({ key }) => key),
      refused: next.refused.map(({ dir, reason }) => ({ folder: dir, reason })),
      reloadMs: performance.now() - started,
    };
    logger.event({
      name: 'models.reloaded',
      loaded: report.loaded,
      kept: kept.length,
      removed: report.removed,
      refused: report.refused.length,
      reloadMs: report.reloadMs,
    });
    return report;
  };
  return {
    reload() {
      const mine = last.then(reload);
      last = mine.catch(() => undefined);
      return mine;
    },
    async close() {
      closing.abort(
        new PredictionError('SHUTTING_DOWN', 'The server is shutting down; models are loaded when it starts again.'),
      );
      await last;
      await Promise.all(releasing);
    },
  };
}
