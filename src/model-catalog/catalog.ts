import { PredictionError } from '../platform/errors.ts';
import { type CatalogContents, type ContentsOptions, loadContents, type RefusedFolder } from './catalog-contents.ts';
import type { LoadedVersion } from './model-version.ts';
import { highestStands, type Standing, type SwitchedOff, type VersionState } from './standing.ts';

/** What is served. One that follows reloads and promotions is read anew at each call. */
export interface Catalog {
  /** By id, then by version, the highest first; whatever their state. */
  list(): readonly LoadedVersion[];
  /**
   * The version that answers.
   * @param version absent: the default of the model
   * Throws MODEL_UNKNOWN naming what is known, MODEL_NOT_READY where the folder was refused or the model has no default,
   * or MODEL_DISABLED.
   */
  find(model: string, version?: string): LoadedVersion;
  /**
   * The version that is spoken of, whether or not it may answer.
   * @param version absent: the default of the model, or else the highest
   * Throws MODEL_UNKNOWN or MODEL_NOT_READY.
   */
  describe(model: string, version?: string): LoadedVersion;
  stateOf(version: LoadedVersion): VersionState;
  /** Of its model, of itself, or of one whose output it takes. */
  switchedOff(version: LoadedVersion): SwitchedOff | undefined;
  /** Why a version does not answer: it, its model or one whose output it takes is switched off. */
  refusalOf(version: LoadedVersion): PredictionError | undefined;
  serviceOff: Standing['serviceOff'];
  /** Models that refuse calls which name no version, and why. */
  withoutDefault(): readonly { readonly model: string; readonly reason: string }[];
  /** Folders that are not served as they are, and why. */
  readonly refused: readonly RefusedFolder[];
}

/** Where nobody keeps states the highest version that is loaded is the default. */
export async function loadCatalog(options: ContentsOptions): Promise<Catalog> {
  const contents = await loadContents(options);
  return catalogOf(contents, highestStands(contents.versions));
}

/** What of the contents may speak. */
export function catalogOf({ versions, refused }: CatalogContents, standing: Standing): Catalog {
  const defaultOf = (model: string): LoadedVersion | undefined => {
    const named = standing.defaultOf(model);
    return named && versions.find(({ manifest, digest }) => isNamed(manifest, model, named) && digest === named.digest);
  };
  const loadedOf = (model: string, version: string | undefined): LoadedVersion => {
    const found = versions.find(
      ({ manifest }) => manifest.id === model && (version === undefined || manifest.version === version),
    );
    if (found === undefined) throw notLoaded({ versions, refused }, model, version);
    return found;
  };
  const switchedOff: Catalog['switchedOff'] = ({ manifest: { id, version }, uses }) =>
    standing.switchedOff(id) ?? standing.switchedOff(id, version) ?? usedThatIsOff(uses, standing);
  const refusalOf: Catalog['refusalOf'] = (version) => {
    const off = switchedOff(version);
    return off && disabled(version, off);
  };
  return {
    list: () => versions,
    find(model, version) {
      const found = version === undefined ? defaultOf(model) : loadedOf(model, version);
      if (found === undefined) throw noDefault(versions, loadedOf(model, undefined), standing.defaultOf(model));
      const refusal = refusalOf(found);
      if (refusal !== undefined) throw refusal;
      return found;
    },
    describe: (model, version) =>
      version === undefined ? (defaultOf(model) ?? loadedOf(model, undefined)) : loadedOf(model, version),
    stateOf(version) {
      if (defaultOf(version.manifest.id) === version) return 'default';
      return standing.isShadow(version) ? 'shadow' : 'candidate';
    },
    switchedOff,
    refusalOf,
    serviceOff: (model, service) => standing.serviceOff(model, service),
    withoutDefault() {
      const models = [...new Set(versions.map(({ manifest }) => manifest.id))].filter(
        (id) => defaultOf(id) === undefined,
      );
      return models.map((model) => {
        const { message } = noDefault(versions, loadedOf(model, undefined), standing.defaultOf(model));
        return { model, reason: message };
      });
    },
    refused,
  };
}

function isNamed(
  manifest: { readonly id: string; readonly version: string },
  model: string,
  { version }: { readonly version: string },
): boolean {
  return manifest.id === model && manifest.version === version;
}

/** A model answers no more when one is switched off whose output it takes. */
function usedThatIsOff(uses: LoadedVersion['uses'], standing: Standing): SwitchedOff | undefined {
  for (const used of uses) {
    const { id, version } = used.manifest;
    const off = standing.switchedOff(id) ?? standing.switchedOff(id, version) ?? usedThatIsOff(used.uses, standing);
    if (off !== undefined) return off;
  }
  return undefined;
}

function disabled({ key }: LoadedVersion, { what, at, because }: SwitchedOff): PredictionError {
  const whose = what === key || key.startsWith(`${what}@`) ? 'It' : `${what}, whose output it takes,`;
  return new PredictionError(
    'MODEL_DISABLED',
    `Model ${key} does not answer. ${whose} was switched off at ${at.toISOString()}: ${because} Whoever runs this server switches it on again with: fhirsight models enable ${what}`,
  );
}

function noDefault(
  versions: readonly LoadedVersion[],
  { manifest: { id } }: LoadedVersion,
  named: ReturnType<Standing['defaultOf']>,
): PredictionError {
  const own = versions.filter(({ manifest }) => manifest.id === id);
  const loaded = own.find(({ manifest }) => manifest.version === named?.version);
  const why =
    named === undefined
      ? 'none was promoted yet'
      : loaded === undefined
        ? `${id}@${named.version}, which was promoted, is not loaded; the log says why`
        : `${loaded.key} was promoted with digest ${named.digest}, and is now another with ${loaded.digest}: its files, the site file, a model that it uses or the tables of this release were changed since. Put back what was changed, or give it a new version`;
  return new PredictionError(
    'MODEL_NOT_READY',
    `Model ${id} has no version that answers where none is named: ${why}. A version that was looked at becomes the default with: fhirsight models promote ${id}@VERSION. Loaded: ${own.map(({ key }) => key).join(', ')}.`,
  );
}

function notLoaded(
  { versions, refused }: Pick<CatalogContents, 'versions' | 'refused'>,
  model: string,
  version: string | undefined,
): PredictionError {
  const wanted = version === undefined ? model : `${model}@${version}`;
  const known = versions.map(({ key }) => key).join(', ') || 'none';
  const stopped = refused.find(({ dir }) =>
    version === undefined ? dir === model || dir.startsWith(`${model}/`) : dir === `${model}/${version}`,
  );
  if (stopped === undefined)
    return new PredictionError('MODEL_UNKNOWN', `There is no model ${wanted}. Served: ${known}.`);
  return new PredictionError(
    'MODEL_NOT_READY',
    `The folder of model ${wanted} was refused at load and is not served; the log says why. Served: ${known}.`,
  );
}
