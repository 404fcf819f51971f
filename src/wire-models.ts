import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createExplainer } from './explanation/create-explainer.ts';
import { createSaliency } from './explanation/create-saliency.ts';
import { createRunningTime } from './explanation/running-time.ts';
import type { TreeShapWorker } from './explanation/trees/tree-shap-worker.ts';
import { compileFeatureMap } from './features/compile-feature-map.ts';
import { categoriesOf, type DeclaredServerFile } from './fhir/client/read-declared-server.ts';
import type { InferenceEngine } from './inference/inference-engine.ts';
import { type CatalogContents, type ContentsOptions, loadContents } from './model-catalog/catalog-contents.ts';
import type { LoadedVersion, ModelVersion, UsedVersion } from './model-catalog/model-version.ts';
import { readByUsed } from './model-catalog/read-by-used.ts';
import { readSiteFile, type SiteFile } from './model-catalog/read-site-file.ts';
import { readsImages } from './model-catalog/reads-images.ts';
import { keptRecordQueries, recordQueries } from './model-catalog/record-queries.ts';
import { checkSiteQueries, withSiteQueries } from './model-catalog/site-queries.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { PredictionError } from './platform/errors.ts';
import type { LogEvent } from './platform/events.ts';
import type { Logger } from './platform/logger.ts';
import type { PredictableModel } from './prediction/prediction-parts.ts';
import { createResultFrame } from './results/result-frame.ts';

/** What is made once for each model version, at load. */
type CompiledModel = Pick<
  PredictableModel,
  'compiled' | 'explainer' | 'explainTime' | 'saliency' | 'resultFrame' | 'queriesAt' | 'readByUsed'
>;

/** The versions of MODELS_DIR, loaded, and what each needs in this house. */
export interface LoadedModels {
  readonly contents: CatalogContents;
  readonly compiledOf: (version: UsedVersion) => CompiledModel;
  /** Loads MODELS_DIR again; see `loadContents`. */
  readonly loadAgain: (
    serving: CatalogContents,
    again: Required<Pick<ContentsOptions, 'mustStay' | 'signal'>>,
  ) => Promise<CatalogContents>;
}

/**
 * Loads the catalog of MODELS_DIR with the codes of SITE_FILE, and makes what each version needs once. SITE_FILE and
 * FHIR_SERVER_PROFILE are read once, so that a reload cannot change what is served already.
 */
export async function loadModels(
  config: Config,
  engine: InferenceEngine,
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
  treeShapWorker: TreeShapWorker,
  declared: DeclaredServerFile = {},
): Promise<LoadedModels> {
  const site = await readSiteFile(config.siteFile);
  const compiled = new Map<string, CompiledModel>();
  let isStarted = false;
  const options: ContentsOptions = {
    modelsDir: modelsFolder(config.modelsDir),
    engine,
    clock,
    ...(site === undefined ? {} : { site }),
    accept: (version) => {
      // At start such a search is a fault of the settings; later it is one of the folder that came.
      if (isStarted) refuseVersion(version, siteQueryFaults(config, declared, version));
      compiled.set(nameOf(version), {
        ...compileVersion(version, config, declared),
        explainer: createExplainer(version, treeShapWorker),
      });
    },
  };
  const contents = await loadContents(options);
  isStarted = true;
  const told = { logger, hasImages: config.imagingFile !== undefined };
  logLoaded(contents.versions, contents, told);
  if (site !== undefined) logger.event(siteRead(site, contents));
  refuseSiteQueries(config, declared, contents);
  return {
    contents,
    compiledOf(version) {
      const made = compiled.get(nameOf(version));
      if (made === undefined)
        throw new PredictionError('INTERNAL', `The feature map of ${version.key} was not compiled at load.`);
      return made;
    },
    async loadAgain(serving, again) {
      const next = await loadContents({ ...options, ...again }, serving);
      const names = new Set([...serving.versions, ...next.versions].map(nameOf));
      for (const name of compiled.keys()) if (!names.has(name)) compiled.delete(name);
      logLoaded(
        next.versions.filter((version) => !serving.versions.includes(version)),
        next,
        told,
      );
      return next;
    },
  };
}

function nameOf({ key, digest }: UsedVersion): string {
  return `${key} ${digest}`;
}

/** @param declared what a site says of its server, where the record is read from another one */
export function compileVersion(
  version: Pick<ModelVersion, 'manifest' | 'featureMap' | 'lookups' | 'gathered' | 'site' | 'uses'>,
  config: Config,
  declared: DeclaredServerFile,
): Omit<CompiledModel, 'explainer'> {
  const { manifest, featureMap, lookups, gathered, site } = version;
  const made = compileFeatureMap(featureMap, lookups);
  const saliency = createSaliency(version);
  return {
    compiled: made,
    readByUsed: readByUsed(version),
    explainTime: createRunningTime(),
    ...(saliency === undefined ? {} : { saliency: { method: saliency, time: createRunningTime() } }),
    resultFrame: createResultFrame(manifest, made.labels, site),
    queriesAt: keptRecordQueries(gathered, config.optOutBy, (queries) =>
      withSiteQueries(queries, declared.queries?.[manifest.id] ?? {}),
    ),
  };
}

/** @param hasImages an image server is configured */
function logLoaded(
  loaded: readonly LoadedVersion[],
  { refused }: CatalogContents,
  { logger, hasImages }: { readonly logger: Logger; readonly hasImages: boolean },
): void {
  for (const { key, digest, loadMs, gathered, manifest } of loaded) {
    logger.event({ name: 'model.loaded', model: key, digest, loadMs });
    // Nobody waits for what a demonstration says, and there is one in every house.
    const isMissed = readsImages({ gathered }) && manifest.demonstration !== true;
    if (isMissed && !hasImages) logger.event({ name: 'model.images-unconfigured', model: key });
  }
  for (const { dir, error } of refused) logger.event({ name: 'model.refused', folder: dir, error });
}

function refuseVersion({ key }: ModelVersion, faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new PredictionError('MODEL_INVALID', `Model ${key} is refused: ${faults.join(' ')}`);
}

/** Searches of the site that may find less than the version needs. */
function siteQueryFaults(
  config: Config,
  declared: DeclaredServerFile,
  { manifest: { id }, gathered, key }: ModelVersion,
): string[] {
  const site = declared.queries?.[id];
  if (site === undefined) return [];
  const queries = recordQueries(gathered, new Date(0), config.optOutBy);
  return checkSiteQueries(queries, site, categoriesOf(declared)).map(
    (fault) => `/queries/${id}/${fault.key} ${fault.message} (${key}).`,
  );
}

/** Throws CONFIG_INVALID where a search of the site is for no model, or may find less than a version of one needs. */
function refuseSiteQueries(config: Config, declared: DeclaredServerFile, { versions }: CatalogContents): void {
  const faults = Object.keys(declared.queries ?? {}).flatMap((id) => {
    const own = versions.filter(({ manifest }) => manifest.id === id);
    if (own.length === 0) return [`/queries/${id}: no model of this id is served.`];
    return own.flatMap((version) => siteQueryFaults(config, declared, version));
  });
  if (faults.length === 0) return;
  const messages = faults.map((fault) => `FHIR_SERVER_PROFILE ${config.fhirServerProfile}: ${fault}`);
  throw new PredictionError('CONFIG_INVALID', messages.join('\n'), {
    issues: messages.map((message) => ({ message })),
  });
}

/** A concept that no model reads, and a model that is not served, may be a slip of the pen, or that of a model that was refused: the log names it. */
function siteRead(site: SiteFile, { versions }: CatalogContents): LogEvent {
  const read = new Set(versions.flatMap((version) => Object.keys(version.site?.concepts ?? {})));
  const served = new Set(versions.flatMap(({ key, manifest }) => [manifest.id, key]));
  const unread = [
    ...Object.keys(site.concepts).filter((concept) => !read.has(concept)),
    ...Object.keys(site.models ?? {}).filter((model) => !served.has(model)),
  ];
  return { name: 'site.read', file: site.file, site: site.id, version: site.version, unread };
}

/** Ids of the folders of the models, also of those that were refused. */
export function folderIds({ versions, refused }: CatalogContents): ReadonlySet<string> {
  const others = refused.map(({ dir }) => dir.split('/')[0] ?? dir);
  return new Set([...versions.map(({ manifest }) => manifest.id), ...others]);
}

/** The default, `models`, is the working directory's if there is one, else the models that come with the package. */
export function modelsFolder(modelsDir: string): string {
  const bundled = fileURLToPath(new URL('../models', import.meta.url));
  return modelsDir === 'models' && !existsSync(path.resolve(modelsDir)) ? bundled : path.resolve(modelsDir);
}
