import type { EvaluationReport } from '../../model-catalog/evaluation-report-schema.ts';
import { differenceName } from './difference.ts';
import type { Measures } from './measure-events.ts';

/** What rows are told apart by, and the group of each; undefined where it is not known. */
export interface Grouping {
  readonly by: string;
  readonly groups: readonly (string | undefined)[];
}

/** How one kind of outcome is looked at in some of the rows, given by their positions. */
export interface GroupView {
  /** How many had an event; undefined where the outcome has none. */
  events(rows: Uint32Array): number | undefined;
  /** Why these rows are too few for a figure; undefined where they are enough. */
  tooFew(rows: Uint32Array): string | undefined;
  measures(rows: Uint32Array): Measures;
  /** Of each figure how far a group is from the rest, by `differenceName`; asked only where both are enough. */
  differences(group: Uint32Array, rest: Uint32Array): Measures;
}

type Subgroups = EvaluationReport['subgroups'][number];

/** The figures of each group and its distance to all other rows of which the group is known, in the order of their names. */
export function subgroups({ by, groups }: Grouping, view: GroupView): Subgroups {
  const names = [...new Set(groups.filter((group) => group !== undefined))].sort(
    new Intl.Collator('en', { numeric: true }).compare,
  );
  const positions = (wanted: (group: string) => boolean): Uint32Array =>
    Uint32Array.from(groups.flatMap((group, row) => (group !== undefined && wanted(group) ? [row] : [])));
  return {
    by,
    notKnown: groups.filter((group) => group === undefined).length,
    groups: names.map((name) => {
      const rows = positions((group) => group === name);
      const rest = positions((group) => group !== name);
      const events = view.events(rows);
      const tooFew = view.tooFew(rows);
      const measures = tooFew === undefined ? view.measures(rows) : {};
      return {
        group: name,
        rows: rows.length,
        ...(events === undefined ? {} : { events }),
        ...(tooFew === undefined ? {} : { tooFew }),
        measures,
        differences: tooFew === undefined ? differencesOf(view, measures, rows, rest) : {},
      };
    }),
  };
}

/** Where the rest is too few, each figure has that as the reason why there is no difference of it. */
function differencesOf(view: GroupView, measures: Measures, rows: Uint32Array, rest: Uint32Array): Measures {
  const tooFew = view.tooFew(rest);
  if (tooFew === undefined) return view.differences(rows, rest);
  const unavailable = `of the other rows: ${tooFew}`;
  return Object.fromEntries(Object.keys(measures).map((name) => [differenceName(name), { unavailable }]));
}
