import type { Observation } from '@medplum/fhirtypes';
import { splitToken } from '../fhir/codes.ts';

/** By which codes the features of one map look for Observations: numbered at load, so that a record is sorted in one pass. */
export interface ObservationIndex {
  /** The place of one `system|code` in what `sort` gives. Asked at load. */
  placeOf(token: string): number;
  /** By place: the Observations with that code among their own codings, each once, in the order given; nothing where none has it. */
  sort(observations: readonly Observation[]): readonly (readonly Observation[] | undefined)[];
}

export function createObservationIndex(): ObservationIndex {
  const placesByCode = new Map<string, { readonly system: string; readonly place: number }[]>();
  let places = 0;
  return {
    placeOf(token) {
      const [system, code] = splitToken(token);
      const held = placesByCode.get(code) ?? [];
      placesByCode.set(code, held);
      const known = held.find((each) => each.system === system);
      if (known !== undefined) return known.place;
      const place = places++;
      held.push({ system, place });
      return place;
    },
    sort(observations) {
      const sorted: (Observation[] | undefined)[] = new Array(places).fill(undefined);
      for (const observation of observations) {
        const codings = observation.code.coding;
        if (codings === undefined) continue;
        for (const { system, code } of codings) {
          const held = code === undefined ? undefined : placesByCode.get(code);
          if (held === undefined) continue;
          for (const each of held) {
            if (each.system !== system) continue;
            const found = sorted[each.place];
            if (found === undefined) sorted[each.place] = [observation];
            // A code that is given twice stands one after the other.
            else if (found[found.length - 1] !== observation) found.push(observation);
          }
        }
      }
      return sorted;
    },
  };
}
