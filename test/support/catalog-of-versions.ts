import { type Catalog, catalogOf } from '../../src/model-catalog/catalog.ts';
import type { LoadedVersion } from '../../src/model-catalog/model-version.ts';
import { highestStands } from '../../src/model-catalog/standing.ts';

/** A catalog of versions that nobody has promoted. @param versions the highest of each model first */
export function catalogOfVersions(versions: readonly LoadedVersion[]): Catalog {
  return catalogOf({ versions, refused: [], marks: new Map() }, highestStands(versions));
}
