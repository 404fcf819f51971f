import { type Catalog, catalogOf } from './catalog.ts';
import type { CatalogContents } from './catalog-contents.ts';
import type { LoadedVersion } from './model-version.ts';
import type { Standing } from './standing.ts';

/** What was served when somebody began to work with it. Its versions stay open until it is given back. */
export interface BorrowedCatalog {
  readonly catalog: Catalog;
  giveBack(): void;
}

/** The catalog that is served now: it follows reloads and promotions. */
export interface LiveCatalog extends Catalog {
  /** As it is now; the very same as long as neither contents nor states change. */
  current(): Catalog;
  borrow(): BorrowedCatalog;
  contents(): CatalogContents;
  /**
   * Serves other contents from now on. What has begun with the old ones ends with them.
   * @returns the versions that are served no more, and resolves `released` when nobody works with them and they are closed
   */
  swap(next: CatalogContents): { readonly removed: readonly LoadedVersion[]; readonly released: Promise<void> };
}

/** Contents, who works with them, and all that came before. */
interface Generation {
  readonly contents: CatalogContents;
  users: number;
  /** Set once it is no longer served. */
  whenIdle?: () => void;
}

/** @param standing the same object as long as no state changes */
export function createLiveCatalog(first: CatalogContents, standing: () => Standing): LiveCatalog {
  let generation: Generation = { contents: first, users: 0 };
  let drainedBefore: Promise<void> = Promise.resolve();
  let seen = standing();
  let view = catalogOf(first, seen);
  const current = (): Catalog => {
    const now = standing();
    if (now !== seen) {
      seen = now;
      view = catalogOf(generation.contents, now);
    }
    return view;
  };
  return {
    list: () => current().list(),
    find: (model, version) => current().find(model, version),
    describe: (model, version) => current().describe(model, version),
    stateOf: (version) => current().stateOf(version),
    switchedOff: (version) => current().switchedOff(version),
    refusalOf: (version) => current().refusalOf(version),
    serviceOff: (model, service) => current().serviceOff(model, service),
    withoutDefault: () => current().withoutDefault(),
    get refused() {
      return current().refused;
    },
    current,
    contents: () => generation.contents,
    borrow() {
      const from = generation;
      from.users++;
      let borrowed = true;
      return {
        catalog: current(),
        giveBack() {
          if (!borrowed) return;
          borrowed = false;
          from.users--;
          if (from.users === 0) from.whenIdle?.();
        },
      };
    },
    swap(next) {
      const old = generation;
      generation = { contents: next, users: 0 };
      seen = standing();
      view = catalogOf(next, seen);
      const idle = new Promise<void>((resolve) => {
        if (old.users === 0) resolve();
        else old.whenIdle = resolve;
      });
      // Who began with still older contents may work with the same versions.
      const drained = Promise.all([drainedBefore, idle]).then(() => undefined);
      drainedBefore = drained;
      const removed = old.contents.versions.filter((version) => !next.versions.includes(version));
      const released = drained.then(async () => {
        await Promise.all(removed.map((version) => version.release()));
      });
      return { removed, released };
    },
  };
}
