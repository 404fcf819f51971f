import path from 'node:path';
import { PredictionError } from '../platform/errors.ts';
import { serviceClash } from './cds-services.ts';
import { type Finding, modelInvalid } from './finding.ts';
import { inOrder } from './in-order.ts';
import type { ReadUses } from './inspect-model-folder.ts';
import { type LoadOptions, loadVersion } from './load-version.ts';
import type { LoadedVersion, UsedVersion } from './model-version.ts';
import { readModelFolder } from './read-models.ts';
import { type RegistrationReport, refusedReport } from './registration/registration-report.ts';
import { notServed, takenOutputs, usedKey } from './used-models.ts';
import { folderMark, versionFolders } from './version-folders.ts';
import { keptWithoutFolder, type MustStay } from './without-folder.ts';

export interface RefusedFolder {
  /** `<id>/<version>` below the models folder. */
  readonly dir: string;
  readonly reason: string;
  readonly error: Error;
  /** What was tested of it; absent where a version is served as it was, and its folder is not what it was. */
  readonly report?: RegistrationReport;
}

/** What was loaded at one time. It never changes; a reload makes other contents. */
export interface CatalogContents {
  /** By id, then by version, the highest first. */
  readonly versions: readonly LoadedVersion[];
  /** Folders that are not served as they are, and why; a version of one may be served as it was. */
  readonly refused: readonly RefusedFolder[];
  /** See `folderMark`: of the folders of versions when they were read. */
  readonly marks: ReadonlyMap<string, string>;
}

export interface ContentsOptions extends LoadOptions {
  readonly modelsDir: string;
  /** Whether a version whose folder is gone has to stay, asked when all folders were loaded; absent: none has to. */
  readonly mustStay?: () => Promise<MustStay>;
  /** Once it is aborted no other folder is loaded. */
  readonly signal?: AbortSignal;
}

const nothing: CatalogContents = { versions: [], refused: [], marks: new Map() };

/**
 * Loads every version folder below `modelsDir` that is not served already. A bad folder is refused and reported; it never
 * keeps the others from serving. What is served stays as it is: a version is immutable, so that a folder that was
 * changed is refused, and its version goes on as it was loaded. Nothing of `serving` is released.
 * Throws CONFIG_INVALID where `modelsDir` is absent or holds no version folder, and what aborted `signal`; what was loaded until
 * then is released.
 */
export async function loadContents(
  options: ContentsOptions,
  serving: CatalogContents = nothing,
): Promise<CatalogContents> {
  const loaded: LoadedVersion[] = [];
  try {
    return await contentsOf(options, serving, loaded);
  } catch (error) {
    await Promise.all(loaded.map((version) => version.release()));
    throw error;
  }
}

/** @param loaded gets what is loaded, so that nothing stays open where this fails */
async function contentsOf(
  options: ContentsOptions,
  serving: CatalogContents,
  loaded: LoadedVersion[],
): Promise<CatalogContents> {
  const kept: LoadedVersion[] = [];
  const refused: RefusedFolder[] = [];
  const marks = new Map<string, string>();
  const read: ReadUses = new Map();
  const { modelsDir, signal } = options;
  const folders = await versionFolders(modelsDir);
  for (const dir of folders) {
    signal?.throwIfAborted();
    const folder = path.join(modelsDir, dir);
    const mark = await folderMark(folder);
    const known = serving.versions.find(({ key }) => key === keyOf(dir));
    if (known !== undefined) kept.push(known);
    try {
      if (known === undefined) {
        const registered = await loadVersion(folder, options, read);
        if ('version' in registered) loaded.push(registered.version);
        else refused.push({ dir, reason: registered.error.message, ...registered });
      } else if (mark === undefined || serving.marks.get(dir) !== mark) {
        const { digest } = await readModelFolder(folder, options.site, read);
        if (digest !== known.digest) throw changed(known, digest);
      }
      if (mark !== undefined) marks.set(dir, mark);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      refused.push({ dir, reason: error.message, error });
    }
  }
  const gone = serving.versions.filter(({ key }) => !folders.includes(key.replace('@', '/')));
  const mustStay = await options.mustStay?.();
  signal?.throwIfAborted();
  const without = keptWithoutFolder(gone, [...kept, ...loaded], mustStay ?? (() => undefined));
  kept.push(...without.kept);
  refused.push(...without.refused);
  // A folder that is refused takes those with it that use it, and these no service from others.
  const usable = await withoutOrphans(loaded, kept, refused);
  const added = await withoutOrphans(await withoutClashes(usable, kept, refused), kept, refused);
  return { versions: inOrder([...kept, ...added]), refused, marks };
}

function keyOf(dir: string): string {
  return dir.replace('/', '@');
}

function changed({ key, digest }: LoadedVersion, found: string): PredictionError {
  return new PredictionError(
    'MODEL_INVALID',
    `The folder of ${key} was changed: ${key} is served with digest ${digest}, the folder now has ${found}. A version is immutable, and is served as it was loaded: put the files back, and give what was changed a new version.`,
  );
}

/** Two models that answer at one address: the one that comes later is refused. */
async function withoutClashes(
  loaded: readonly LoadedVersion[],
  kept: readonly LoadedVersion[],
  refused: RefusedFolder[],
): Promise<LoadedVersion[]> {
  const served: LoadedVersion[] = [];
  for (const version of inOrder(loaded)) {
    const clash = serviceClash(version, [...kept, ...served]);
    if (clash === undefined) {
      served.push(version);
      continue;
    }
    await refuse(version, { file: 'manifest.json', ...clash }, refused);
  }
  return served;
}

/** A version that uses one that is not served, or was another when it was read for it, is refused, and then those that use it. */
async function withoutOrphans(
  loaded: readonly LoadedVersion[],
  kept: readonly LoadedVersion[],
  refused: RefusedFolder[],
): Promise<LoadedVersion[]> {
  const served: LoadedVersion[] = [];
  const isServed = ({ key, digest }: UsedVersion): boolean =>
    [...kept, ...loaded].some((other) => other.key === key && other.digest === digest);
  for (const version of inOrder(loaded)) {
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
  return served.length === loaded.length ? served : await withoutOrphans(served, kept, refused);
}

async function refuse(version: LoadedVersion, finding: Finding, refused: RefusedFolder[]): Promise<void> {
  const dir = `${version.manifest.id}/${version.manifest.version}`;
  const error = modelInvalid(dir, [finding]);
  refused.push({ dir, reason: error.message, error, report: refusedReport(version.registration, error) });
  await version.release();
}
