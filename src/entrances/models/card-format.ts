import { parseMediaType } from '../../http/media-type.ts';
import { type CardFormat, cardFormats } from '../../model-catalog/card/render-card.ts';
import { PredictionError } from '../../platform/errors.ts';

/** `fhir`: the model's Device, which holds the card. */
export type ServedFormat = CardFormat | 'fhir';

/** In what media type each format is sent. */
export const servedFormats: Readonly<Record<ServedFormat, string>> = { ...cardFormats, fhir: 'application/fhir+json' };

/** The formats by every name they are asked for; a plus sign in a query may have become a space. */
const byName: ReadonlyMap<string, ServedFormat> = new Map([
  ...Object.entries(servedFormats).flatMap(([format, type]): [string, ServedFormat][] => [
    [format, format as ServedFormat],
    [type, format as ServedFormat],
  ]),
  ['md', 'markdown'],
  ['text/x-markdown', 'markdown'],
  ['application/fhir json', 'fhir'],
  // What a browser or a program takes where it names none of them.
  ['*/*', 'html'],
  ['text/*', 'html'],
  ['application/*', 'json'],
]);

/**
 * The format of a card: what `format` or `_format` says, else the best of Accept, else HTML.
 * Throws PARAMETER_INVALID for an unknown one, NOT_ACCEPTABLE where the caller takes none that there is.
 */
export function cardFormat(query: Readonly<Record<string, unknown>>, accept: string | undefined): ServedFormat {
  const asked = query.format ?? query._format;
  if (asked !== undefined) {
    const format = typeof asked === 'string' && !asked.includes('*') ? byName.get(asked.toLowerCase()) : undefined;
    if (format !== undefined) return format;
    throw new PredictionError('PARAMETER_INVALID', `A card has no format '${String(asked).slice(0, 80)}'. ${allowed}`);
  }
  if (accept === undefined || accept.trim() === '') return 'html';
  const wanted = accept
    .split(',')
    .flatMap((part) => parseMediaType(part) ?? [])
    .map(({ type, parameters }) => ({ format: byName.get(type), quality: Number(parameters.q ?? 1) }))
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  const best = wanted.find(({ format }) => format !== undefined)?.format;
  if (best !== undefined) return best;
  throw new PredictionError('NOT_ACCEPTABLE', `None of '${accept.slice(0, 80)}' is served. ${allowed}`);
}

const allowed = `There are ${Object.entries(servedFormats)
  .map(([format, type]) => `${format} (${type})`)
  .join(', ')}.`;
