import type { TextDefinition } from '../model-catalog/feature-map-schema.ts';
import type { Unread } from './pick-by-content.ts';

/** A text in NFC and normalised as the map says, or why it is none. What the text says is never repeated in the reason. */
export type TextReader = (given: string) => { readonly value: string } | Unread;

export function compileTextReader({ normalise }: Pick<TextDefinition, 'normalise'>): TextReader {
  return (given) => {
    const fault = faults.find(({ isFound }) => isFound(given));
    if (fault !== undefined) return { because: 'undecodable', detail: fault.detail };
    const composed = given.normalize('NFC');
    const value = normalise === 'none' ? composed : collapsed(composed);
    return { value };
  };
}

/** As Python's `' '.join(text.split())`, so that training and serving agree: U+FEFF is no white space there. */
function collapsed(text: string): string {
  return text.replaceAll(/[^\S\ufeff]+/g, ' ').replaceAll(/^ | $/g, '');
}

/** Control characters but the tab and the ends of lines: a FHIR string holds none. */
const control = /[\p{Cc}--[\t\n\r]]/v;
/** What stands where a character was lost. */
const replacement = '\u{fffd}';
/** Separators, and characters that nobody sees, such as zero-width spaces and fillers. */
const unseen = /^[\p{Z}\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]*$/u;
/** More marks on one letter than any language has (UAX #15, Stream-Safe Text Format): to order them takes minutes. */
const stacked = /\p{M}{31}/u;

/**
 * Tags of HTML by their names (`<0.05`, `<NAME>` and `a < b` are none), ends of tags of any name, comments, sections of
 * CDATA, entities, and the head of RTF. No two parts of the pattern can take the same blanks, or long notes would take
 * minutes.
 */
const tagNames =
  'html|head|body|div|p|br|span|b|i|u|em|strong|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|td|th|h[1-6]|pre|code|a|img|hr|font|style|script|sup|sub|blockquote|section';
const markup = new RegExp(
  `<\\/?(?:${tagNames})(?:\\s[^<>]*)?\\/?>|<\\/[a-z][a-z0-9:-]*\\s*>|<!--|<!doctype|<!\\[cdata\\[|<\\?xml|&(?:[a-z][a-z0-9]{1,31}|#\\d{1,7}|#x[0-9a-f]{1,6});|^\\s*\\{\\\\rtf`,
  'i',
);

const faults: readonly { readonly detail: string; readonly isFound: (text: string) => boolean }[] = [
  { detail: 'the text is not well-formed Unicode', isFound: (text) => !text.isWellFormed() },
  { detail: 'the text holds a control character', isFound: (text) => control.test(text) },
  {
    detail: 'the text holds U+FFFD, which stands for a character that was lost',
    isFound: (text) => text.includes(replacement),
  },
  { detail: 'the text stacks more marks on a letter than any language does', isFound: (text) => stacked.test(text) },
  { detail: 'the text is empty', isFound: (text) => unseen.test(text) },
  { detail: 'the text holds markup', isFound: (text) => markup.test(text) },
];
