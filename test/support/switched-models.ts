import { createLiveCatalog, type LiveCatalog } from '../../src/model-catalog/live-catalog.ts';
import type { LoadedVersion } from '../../src/model-catalog/model-version.ts';
import { highestStands, type Standing } from '../../src/model-catalog/standing.ts';

export interface SwitchedModels {
  readonly catalog: LiveCatalog;
  /** Throws the kill switch of every model, or of every CDS Hooks service alone. */
  switchOff(what: 'models' | 'services'): void;
}

/** A catalog whose kill switches a test throws. @param versions the highest of each model first */
export function switchedModels(versions: readonly LoadedVersion[]): SwitchedModels {
  const on = highestStands(versions);
  const off = { what: 'it', at: new Date('2026-05-01T08:00:00Z'), because: 'Wrong units since noon.' };
  let standing: Standing = on;
  return {
    catalog: createLiveCatalog({ versions, refused: [], marks: new Map() }, () => standing),
    switchOff(what) {
      standing = { ...on, ...(what === 'models' ? { switchedOff: () => off } : { serviceOff: () => off }) };
    },
  };
}
