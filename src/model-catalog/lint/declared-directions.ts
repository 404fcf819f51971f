import type { Direction, Manifest } from '../manifest-schema.ts';
import type { Outcome } from '../outcome-schema.ts';

/** One direction that a manifest declares, for one outcome. */
export interface DeclaredDirection {
  readonly feature: string;
  readonly outcome: Outcome;
  readonly direction: Direction;
  /** JSON Pointer into the manifest */
  readonly path: string;
}

/** The declared directions, outcome by outcome; one for an outcome that is not there, or is a class, is left out. */
export function declaredDirections({ directions = {}, outcomes }: Manifest): DeclaredDirection[] {
  return Object.entries(directions).flatMap(([feature, declared]) =>
    outcomes.flatMap((outcome) => {
      if (outcome.kind === 'class') return [];
      const path = `/directions/${feature}`;
      if (typeof declared === 'string') return [{ feature, outcome, direction: declared, path }];
      const direction = Object.hasOwn(declared, outcome.id) ? declared[outcome.id] : undefined;
      return direction === undefined ? [] : [{ feature, outcome, direction, path: `${path}/${outcome.id}` }];
    }),
  );
}
