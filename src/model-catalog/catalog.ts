import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { PredictionError } from '../platform/errors.ts';
import { serviceClash } from './cds-services.ts';
import { type Finding, modelInvalid } from './finding.ts';
import { goldenRow, runGoldenCases } from './golden-cases.ts';
import type { ReadUses } from './inspect-model-folder.ts';
import type { LoadedVersion, ModelVersion, UsedVersion } from './model-version.ts';
import { probeNaN } from './probe-nan.ts';
import { readModelFolder } from './read-models.ts';
import type { SiteFile } from './read-site-file.ts';
import { notServed, takenOutputs, usedKey } from './used-models.ts';

/** Whatever can load an artefact; the inference engine does. */
export interface ModelLoader {
  load(model: {
    readonly key: string;
    readonly artefact: Uint8Array;
    readonly input: {
      readonly name: string;
      readonly type: 'float32' | 'float64';
      readonly columns: number;
      readonly acceptsNaN?: boolean;
    };
    readonly output: { readonly name: string; readonly type: 'float32' | 'float64'; readonly columns: number };
    readonly samples: readonly (readonly number[])[];
  }): Promise<
    Pick<LoadedVersion, 'run' | 'infer' | 'inputs' | 'outputs' | 'release'> & {
      readonly report: LoadedVersion['engine'];
    }
  >;
}

export interface RefusedFolder {
  /** `<id>/<version>` below the models folder. */
  readonly dir: string;
  readonly reason: string;
  readonly error: Error;
}

export interface Catalog {
  /** By id, then by version, the highest first. */
  list(): readonly LoadedVersion[];
  /**
   * @param version absent: the highest that is loaded
   * Throws MODEL_UNKNOWN naming what is known, or MODEL_NOT_READY where the folder was refused.
   */
  find(model: string, version?: string): LoadedVersion;
  /** Folders that are not served, and why. */
  readonly refused: readonly RefusedFolder[];
}

/**
 * Loads every version folder below `modelsDir` and runs its golden cases. A bad folder is refused and reported;
 * it never keeps the others from serving.
 * @param site local codes and units, read into every map
 * @param accept a last word of the caller on a folder that was read: throws where the later stages cannot use it
 * Throws CONFIG_INVALID where `modelsDir` is absent or holds no version folder.
 */
export async function loadCatalog(options: {
  readonly modelsDir: string;
  readonly engine: ModelLoader;
  readonly accept?: (version: ModelVersion) => void;
  readonly site?: SiteFile;
}): Promise<Catalog> {
  const loaded: LoadedVersion[] = [];
  const refused: RefusedFolder[] = [];
  const read: ReadUses = new Map();
  for (const dir of await versionFolders(options.modelsDir)) {
    try {
      loaded.push(await loadVersion(path.join(options.modelsDir, dir), options, read));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      refused.push({ dir, reason: error.message, error });
    }
  }
  loaded.sort(
    (a, b) => compareIds(a.manifest.id, b.manifest.id) || compareVersions(b.manifest.version, a.manifest.version),
  );
  // A folder that is refused takes those with it that use it, and these no service from others.
  const usable = await withoutOrphans(loaded, refused);
  const served = await withoutOrphans(await withoutClashes(usable, refused), refused);
  return { list: () => served, find: (model, version) => findVersion(served, refused, model, version), refused };
}

/** Two models that answer at one address: the one that comes later in the catalog is refused. */
async function withoutClashes(loaded: readonly LoadedVersion[], refused: RefusedFolder[]): Promise<LoadedVersion[]> {
  const served: LoadedVersion[] = [];
  for (const version of loaded) {
    const clash = serviceClash(version, served);
    if (clash === undefined) {
      served.push(version);
      continue;
    }
    await refuse(version, { file: 'manifest.json', ...clash }, refused);
  }
  return served;
}

/** A version that uses one that is not served, or was another when it was read for it, is refused, and then those that use it. */
async function withoutOrphans(loaded: readonly LoadedVersion[], refused: RefusedFolder[]): Promise<LoadedVersion[]> {
  const served: LoadedVersion[] = [];
  const isServed = ({ key, digest }: UsedVersion): boolean =>
    loaded.some((other) => other.key === key && other.digest === digest);
  for (const version of loaded) {
    const orphaned = takenOutputs(version.featureMap).find(({ definition }) =>
      version.uses.some((used) => used.key === usedKey(definition) && !isServed(used)),
    );
    if (orphaned === undefined) {
      served.push(version);
      continue;
    }
    const key = usedKey(orphaned.definition);
    const stopped = refused.find(({ dir }) => dir === key.replace('@', '/'));
    const error = stopped?.error ?? new RangeError('the folder was changed while models were loaded');
    const finding = { ...notServed(key, error), path: `/features/${orphaned.feature}/model` };
    await refuse(version, finding, refused);
  }
  return served.length === loaded.length ? served : await withoutOrphans(served, refused);
}

async function refuse(version: LoadedVersion, finding: Finding, refused: RefusedFolder[]): Promise<void> {
  const dir = `${version.manifest.id}/${version.manifest.version}`;
  const error = modelInvalid(dir, [finding]);
  refused.push({ dir, reason: error.message, error });
  await version.release();
}

async function loadVersion(
  dir: string,
  { engine, accept, site }: Parameters<typeof loadCatalog>[0],
  read: ReadUses,
): Promise<LoadedVersion> {
  const started = performance.now();
  const version = await readModelFolder(dir, site, read);
  accept?.(version);
  const { input, output } = version.manifest.tensors;
  const model = await engine.load({
    key: version.key,
    artefact: version.artefact,
    input: { ...input, columns: input.columns.length },
    output,
    samples: version.goldenCases.map((golden) => goldenRow(golden, version.manifest, version.featureMap)),
  });
  try {
    const findings = await runGoldenCases(version, (rows) => model.run(rows));
    if (findings.length === 0) findings.push(...(await probeNaN(version, (rows) => model.run(rows))));
    if (findings.length > 0) throw modelInvalid(`${version.manifest.id}/${version.manifest.version}`, findings);
  } catch (error) {
    await model.release();
    throw error;
  }
  return {
    ...version,
    loadMs: performance.now() - started,
    engine: model.report,
    inputs: model.inputs,
    outputs: model.outputs,
    run: (rows, options) => model.run(rows, options),
    infer: (feeds, wanted, options) => model.infer(feeds, wanted, options),
    release: () => model.release(),
  };
}

/**
 * `<id>/<version>`, sorted; an `<id>` that cannot be read or holds no version stands for itself, to be refused.
 * Names that start with a dot belong to the file system or to version control.
 */
async function versionFolders(modelsDir: string): Promise<string[]> {
  const ids = await subfolders(modelsDir).catch((cause: unknown) => {
    throw new PredictionError(
      'CONFIG_INVALID',
      `MODELS_DIR ${modelsDir} cannot be read as a folder; set MODELS_DIR to a folder that holds <model>/<version>/manifest.json.`,
      { cause },
    );
  });
  if (ids.length === 0) {
    throw new PredictionError(
      'CONFIG_INVALID',
      `MODELS_DIR ${modelsDir} holds no model; put one there as <model>/<version>/manifest.json or set MODELS_DIR to another folder.`,
    );
  }
  const folders = await Promise.all(
    ids.map(async (id) => {
      // What cannot be listed has no versions, and is refused by its name when it is read.
      const versions = await subfolders(path.join(modelsDir, id)).catch(() => []);
      return versions.length === 0 ? [id] : versions.map((version) => `${id}/${version}`);
    }),
  );
  return folders.flat();
}

/** Folders and links; a plain file beside them (a README, for one) is none. */
async function subfolders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

function findVersion(
  loaded: readonly LoadedVersion[],
  refused: readonly RefusedFolder[],
  model: string,
  version: string | undefined,
): LoadedVersion {
  const found = loaded.find(
    ({ manifest }) => manifest.id === model && (version === undefined || manifest.version === version),
  );
  if (found !== undefined) return found;
  const wanted = version === undefined ? model : `${model}@${version}`;
  const known = loaded.map(({ key }) => key).join(', ') || 'none';
  const stopped = refused.find(({ dir }) =>
    version === undefined ? dir === model || dir.startsWith(`${model}/`) : dir === `${model}/${version}`,
  );
  if (stopped !== undefined) {
    throw new PredictionError(
      'MODEL_NOT_READY',
      `The folder of model ${wanted} was refused at load and is not served; the log says why. Served: ${known}.`,
    );
  }
  throw new PredictionError('MODEL_UNKNOWN', `There is no model ${wanted}. Served: ${known}.`);
}

function compareIds(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Versions are three numbers (manifest schema). */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  const index = left.findIndex((part, position) => part !== right[position]);
  return index < 0 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}
