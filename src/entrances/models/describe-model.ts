import { cardAtSite } from '../../model-catalog/card/card-at-site.ts';
import type { Catalog } from '../../model-catalog/catalog.ts';
import type { LoadedVersion, UsedVersion } from '../../model-catalog/model-version.ts';
import type { ReadValueSet } from '../../model-catalog/read-value-sets.ts';
import type { SwitchedOff, VersionState } from '../../model-catalog/standing.ts';

/** What a version may do. */
export interface ModelStanding {
  readonly state: VersionState;
  readonly switchedOff?: SwitchedOff;
}

export function standingOf(catalog: Catalog, version: LoadedVersion): ModelStanding {
  const off = catalog.switchedOff(version);
  return { state: catalog.stateOf(version), ...(off === undefined ? {} : { switchedOff: off }) };
}

/** `GET /models`: the versions that are loaded, and the folders that are not, with the reason. @param more what else is said of a version */
export function listModels(
  catalog: Catalog,
  more: (version: LoadedVersion) => object = () => ({}),
): Record<'models' | 'refused', readonly Record<string, unknown>[]> {
  return {
    models: catalog
      .list()
      .map((version) => ({ ...summariseModel(version, standingOf(catalog, version)), ...more(version) })),
    refused: catalog.refused.map(({ dir, reason }) => ({ folder: dir, reason })),
  };
}

/** One line of `GET /models`. */
function summariseModel(
  { manifest, digest, loadMs }: LoadedVersion,
  { state, switchedOff }: ModelStanding,
): Record<string, unknown> {
  const { id, version, title, description, supersededBy, outcomes } = manifest;
  return {
    id,
    version,
    default: state === 'default',
    state,
    ...(switchedOff === undefined ? {} : { disabled: switchedOff }),
    title,
    description,
    ...(supersededBy === undefined ? {} : { supersededBy }),
    outcomes: outcomes.map(({ id: outcome, label, kind, horizon }) => ({ id: outcome, label, kind, horizon })),
    digest,
    loadMs,
  };
}

/** `GET /models/{id}`: everything an integrator or a reviewer asks of a version: inputs, population, outcomes, bands, sources, card. */
export function describeModel(
  version: LoadedVersion,
  standing: ModelStanding,
  versions: readonly string[],
): Record<string, unknown> {
  const { manifest, featureMap, valueSets, site, uses, engine } = version;
  return {
    ...summariseModel(version, standing),
    versions,
    publisher: manifest.publisher,
    intendedUse: manifest.intendedUse,
    cautions: manifest.cautions,
    validFor: manifest.validFor,
    features: featureMap.features,
    ...(featureMap.concepts === undefined ? {} : { concepts: featureMap.concepts }),
    ...(valueSets.length === 0 ? {} : { valueSets: valueSets.map(summariseValueSet) }),
    ...(site === undefined ? {} : { site }),
    ...(uses.length === 0 ? {} : { uses: uses.map(summariseUse) }),
    population: featureMap.population,
    outcomes: manifest.outcomes,
    engine,
    explanation: manifest.explanation,
    sources: manifest.sources,
    ...(manifest.coefficientSet === undefined ? {} : { coefficientSet: manifest.coefficientSet }),
    card: cardAtSite(version),
  };
}

/** Another model whose output is a feature of this one. */
function summariseUse({ manifest: { id, version, title }, digest }: UsedVersion): Record<string, unknown> {
  return { id, version, title, digest };
}

/** Which value set, of which version, and how many codes it has; the codes stand in the features. */
function summariseValueSet({ name, url, version, tokens }: ReadValueSet): Record<string, unknown> {
  return {
    name,
    ...(url === undefined ? {} : { url }),
    ...(version === undefined ? {} : { version }),
    codes: tokens?.length,
  };
}
