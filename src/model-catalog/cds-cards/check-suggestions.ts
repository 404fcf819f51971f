import type { CdsHooksService } from '../cds-hooks-schema.ts';
import type { Outcome } from '../outcome-schema.ts';
import { levelsOf, scoreRange } from '../outcome-score.ts';
import { choicesAt } from './choices-at.ts';

type Find = (path: string, message: string) => void;

/**
 * That each choice says when it is suggested, by bands where there are any and by a score elsewhere, that a card is shown
 * then, and that of at most one no more than one is recommended at any score (CDS-38).
 */
export function checkSuggestions(service: CdsHooksService, outcome: Outcome, find: Find): void {
  const { suggestions } = service;
  if (suggestions === undefined) return;
  const bands = levelsOf(outcome).map(({ code }) => code);
  const [least, most] = scoreRange(outcome) ?? [0, 1];
  suggestions.choices.forEach((choice, index) => {
    const place = `/suggestions/choices/${index}`;
    if (bands.length === 0) {
      if (choice.bands !== undefined) find(`${place}/bands`, `${outcome.id} has no bands; say from which score on`);
      if (choice.from === undefined) find(place, 'needs from: the least score at which it is suggested');
      else if (choice.from < least || choice.from > most)
        find(`${place}/from`, `is ${choice.from}; a score lies between ${least} and ${most}`);
      else if (!isShownFrom(service, choice.from))
        find(`${place}/from`, `is ${choice.from}, where no card is shown; begin where one is`);
      return;
    }
    if (choice.from !== undefined)
      find(`${place}/from`, `${outcome.id} has bands; name those at which it is suggested`);
    if (choice.bands === undefined) find(place, `needs bands: those of ${outcome.id} at which it is suggested`);
    for (const code of choice.bands ?? []) {
      if (!bands.includes(code)) find(`${place}/bands`, `${code} is none of ${bands.join(', ')}`);
      else if (!isShownAt(service, code)) find(`${place}/bands`, `at ${code} no card is shown`);
    }
  });
  if (suggestions.selectionBehavior === 'any') return;
  const points = bands.length > 0 ? bands.map((band) => ({ score: least, band })) : [{ score: most, band: undefined }];
  for (const point of points) {
    const recommended = choicesAt(suggestions, point).filter(({ choice }) => choice.isRecommended === true);
    if (recommended.length > 1)
      find(
        '/suggestions/choices',
        `recommends ${recommended.length} of at most one${point.band === undefined ? '' : ` at ${point.band}`}; recommend one, or allow any`,
      );
  }
}

function isShownAt({ cards }: CdsHooksService, band: string): boolean {
  return cards.scored.some((level) => 'band' in level && level.band === band && level.show !== 'none');
}

/** At every score from there on. */
function isShownFrom({ cards }: CdsHooksService, from: number): boolean {
  const limits = cards.scored.flatMap((level) => ('from' in level ? [level] : []));
  const first = limits.findLastIndex((level) => level.from <= from);
  return first >= 0 && limits.slice(first).every(({ show }) => show !== 'none');
}
