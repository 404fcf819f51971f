import { PredictionError } from '../platform/errors.ts';
import type { CatalogContents, RefusedFolder } from './catalog-contents.ts';
import { inOrder } from './in-order.ts';
import type { LoadedVersion } from './model-version.ts';

/** Why a version has to stay though its folder is gone; undefined: it need not. */
export type MustStay = (version: LoadedVersion) => string | undefined;

/** Versions that are served on without a folder, and what is told of each. */
export interface WithoutFolder {
  readonly kept: readonly LoadedVersion[];
  readonly refused: readonly RefusedFolder[];
}

/**
 * Which versions whose folders are gone are served on: those that must stay, and all whose output one takes that stays, however
 * many are between them. @param staying what is served beside them
 */
export function keptWithoutFolder(
  gone: readonly LoadedVersion[],
  staying: readonly LoadedVersion[],
  mustStay: MustStay,
): WithoutFolder {
  const kept: LoadedVersion[] = [];
  const refused: RefusedFolder[] = [];
  let isMore = true;
  while (isMore) {
    isMore = false;
    for (const version of gone.filter((each) => !kept.includes(each))) {
      const because = mustStay(version) ?? userOf(version, [...staying, ...kept]);
      if (because === undefined) continue;
      kept.push(version);
      refused.push(servedOn(version, because));
      isMore = true;
    }
  }
  return { kept, refused };
}

/** The next contents with what must stay by now of those that serve: much can happen while models are loaded. */
export function withStillNeeded(next: CatalogContents, serving: CatalogContents, mustStay: MustStay): CatalogContents {
  const gone = serving.versions.filter((version) => !next.versions.includes(version));
  const { kept, refused } = keptWithoutFolder(gone, next.versions, mustStay);
  if (kept.length === 0) return next;
  return { ...next, versions: inOrder([...next.versions, ...kept]), refused: [...next.refused, ...refused] };
}

function userOf(version: LoadedVersion, others: readonly LoadedVersion[]): string | undefined {
  const user = others.find(({ uses }) => uses.some(({ key }) => key === version.key));
  return user && `${user.key} takes its output as an input`;
}

function servedOn({ key }: LoadedVersion, because: string): RefusedFolder {
  const reason = `The folder of ${key} is gone. It is served as it was loaded, because ${because}.`;
  return { dir: key.replace('@', '/'), reason, error: new PredictionError('MODEL_INVALID', reason) };
}
