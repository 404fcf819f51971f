import type { CdsLevel } from '../cds-card-schema.ts';
import type { Outcome } from '../outcome-schema.ts';
import { levelsOf, scoreRange } from '../outcome-score.ts';
import { repeated } from '../repeated.ts';

/** Where bands are published they decide, so that no card contradicts the band it names; classes likewise; elsewhere limits from the least score upwards. */
export function checkLevels(levels: readonly CdsLevel[], outcome: Outcome, find: (message: string) => void): void {
  const called = outcome.kind === 'class' ? 'classes' : 'bands';
  const bands = levelsOf(outcome).map(({ code }) => code);
  if (bands.length > 0) {
    const declared = levels.flatMap((level) => ('band' in level ? [level.band] : []));
    if (declared.length < levels.length)
      find(`has a level with from, but ${outcome.id} has ${called}: name each level by its band`);
    for (const code of repeated(declared)) find(`the band ${code} is there twice`);
    for (const code of bands.filter((band) => !declared.includes(band))) find(`does not say what ${code} shows`);
    for (const code of declared.filter((band) => !bands.includes(band)))
      find(`${code} is none of the ${called} of ${outcome.id}`);
    return;
  }
  const [least] = scoreRange(outcome) ?? [0];
  let last: number | undefined;
  for (const level of levels) {
    if ('band' in level) {
      find(`names the band ${level.band}, but ${outcome.id} has no bands`);
      continue;
    }
    const { from, because } = level;
    if (last === undefined && from !== least) find(`begins at ${from}; the first level begins at ${least}`);
    if (last !== undefined && from <= last) find(`is not ascending: ${from} follows ${last}`);
    if (from > least && because === undefined)
      find(`has a limit at ${from} without because: name where the threshold is published`);
    last = from;
  }
}
