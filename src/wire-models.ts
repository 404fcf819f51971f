import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRunningTime } from './explanation/running-time.ts';
import { compileFeatureMap } from './features/compile-feature-map.ts';
import { categoriesOf, type DeclaredServerFile } from './fhir/client/read-declared-server.ts';
import type { InferenceEngine } from './inference/inference-engine.ts';
import { type Catalog, loadCatalog } from './model-catalog/catalog.ts';
import { readByUsed } from './model-catalog/read-by-used.ts';
import { readSiteFile, type SiteFile } from './model-catalog/read-site-file.ts';
import { keptRecordQueries, recordQueries } from './model-catalog/record-queries.ts';
import { checkSiteQueries, withSiteQueries } from './model-catalog/site-queries.ts';
import type { Config } from './platform/config.ts';
import { PredictionError } from './platform/errors.ts';
import type { LogEvent } from './platform/events.ts';
import type { Logger } from './platform/logger.ts';
import type { NamedModel } from './prediction/prediction-outcome.ts';
import type { PredictableModel } from './prediction/prediction-parts.ts';
import { createResultFrame } from './results/result-frame.ts';

/** What is made once for each model version, at load. */
type CompiledModel = Pick<PredictableModel, 'compiled' | 'explainTime' | 'resultFrame' | 'queriesAt' | 'readByUsed'>;

/** Loads the catalog of MODELS_DIR with the codes of SITE_FILE, and makes what each version needs once. */
export async function loadModels(
  config: Config,
  engine: InferenceEngine,
  logger: Logger,
  declared: DeclaredServerFile = {},
): Promise<{ catalog: Catalog; compiled: ReadonlyMap<string, CompiledModel> }> {
  const site = await readSiteFile(config.siteFile);
  const compiled = new Map<string, CompiledModel>();
  const catalog = await loadCatalog({
    modelsDir: modelsFolder(config.modelsDir),
    engine,
    ...(site === undefined ? {} : { site }),
    accept: (version) => {
      const { key, manifest, featureMap, lookups, gathered, site: applied } = version;
      const made = compileFeatureMap(featureMap, lookups);
      compiled.set(key, {
        compiled: made,
        readByUsed: readByUsed(version),
        explainTime: createRunningTime(),
        resultFrame: createResultFrame(manifest, made.labels, applied),
        queriesAt: keptRecordQueries(gathered, config.optOutBy, (queries) =>
          withSiteQueries(queries, declared.queries?.[manifest.id] ?? {}),
        ),
      });
    },
  });
  for (const { key, digest, loadMs } of catalog.list())
    logger.event({ name: 'model.loaded', model: key, digest, loadMs });
  if (site !== undefined) logger.event(siteRead(site, catalog));
  for (const { dir, error } of catalog.refused) logger.event({ name: 'model.refused', folder: dir, error });
  refuseSiteQueries(config, declared, catalog);
  return { catalog, compiled };
}

/** Throws CONFIG_INVALID where a search of the site is for no model, or may find less than a version of one needs. */
function refuseSiteQueries(config: Config, declared: DeclaredServerFile, catalog: Catalog): void {
  const faults = Object.entries(declared.queries ?? {}).flatMap(([id, site]) => {
    const versions = catalog.list().filter(({ manifest }) => manifest.id === id);
    if (versions.length === 0) return [`/queries/${id}: no model of this id is served.`];
    return versions.flatMap(({ gathered, key }) =>
      checkSiteQueries(recordQueries(gathered, new Date(0), config.optOutBy), site, categoriesOf(declared)).map(
        (fault) => `/queries/${id}/${fault.key} ${fault.message} (${key}).`,
      ),
    );
  });
  if (faults.length === 0) return;
  const messages = faults.map((fault) => `FHIR_SERVER_PROFILE ${config.fhirServerProfile}: ${fault}`);
  throw new PredictionError('CONFIG_INVALID', messages.join('\n'), {
    issues: messages.map((message) => ({ message })),
  });
}

/** A concept that no model reads may be a slip of the pen, or that of a model that was refused: the log names it. */
function siteRead(site: SiteFile, catalog: Catalog): LogEvent {
  const read = new Set(catalog.list().flatMap((version) => Object.keys(version.site?.concepts ?? {})));
  const unread = Object.keys(site.concepts).filter((concept) => !read.has(concept));
  return { name: 'site.read', file: site.file, site: site.id, version: site.version, unread };
}

/** Ids of the folders of the models, also of those that were refused. */
export function folderIds(catalog: Catalog): ReadonlySet<string> {
  const refused = catalog.refused.map(({ dir }) => dir.split('/')[0] ?? dir);
  return new Set([...catalog.list().map(({ manifest }) => manifest.id), ...refused]);
}

/** The default, `models`, is the working directory's if there is one, else the models that come with the package. */
export function modelsFolder(modelsDir: string): string {
  const bundled = fileURLToPath(new URL('../models', import.meta.url));
  return modelsDir === 'models' && !existsSync(path.resolve(modelsDir)) ? bundled : path.resolve(modelsDir);
}

/**
 * A version as the path needs it. Throws MODEL_UNKNOWN.
 * @param known those that it uses by key, each made once
 */
export function predictable(
  catalog: Catalog,
  compiled: ReadonlyMap<string, CompiledModel>,
  id: string,
  version: string | undefined,
  known: Map<string, PredictableModel> = new Map(),
): PredictableModel {
  const { key, manifest, digest, engine, site, uses, run } = catalog.find(id, version);
  const made = compiled.get(key);
  if (made === undefined) throw new PredictionError('INTERNAL', `The feature map of ${key} was not compiled at load.`);
  const model = {
    manifest,
    digest,
    engine,
    run,
    uses: uses.map(
      (used) => known.get(used.key) ?? predictable(catalog, compiled, used.manifest.id, used.manifest.version, known),
    ),
    ...(site === undefined ? {} : { site }),
    ...made,
  };
  known.set(key, model);
  return model;
}

/** The loaded version that a call names; undefined where it names none, whatever it names instead. */
export function namedModel(catalog: Catalog, id: string, version: string | undefined): NamedModel | undefined {
  try {
    const { manifest, digest } = catalog.find(id, version);
    return { id: manifest.id, version: manifest.version, digest };
  } catch (error) {
    if (error instanceof PredictionError) return undefined;
    throw error;
  }
}
