import type { ModelVersion } from '../model-version.ts';
import { cardAtSite } from './card-at-site.ts';
import { cardHtml } from './card-html.ts';
import { cardMarkdown } from './card-markdown.ts';
import { cardSections, sourceAttributeSection } from './card-sections.ts';
import { notAvailableText } from './card-words.ts';
import { type CardOf, sourceAttributes, sourceAttributesRule } from './source-attributes.ts';

/** In what forms a card is served, by the name of the format. */
export const cardFormats = {
  html: 'text/html',
  json: 'application/json',
  markdown: 'text/markdown',
} as const;

export type CardFormat = keyof typeof cardFormats;

/**
 * The card of a model version as text, as it stands at this site.
 * @param today `YYYY-MM-DD`: what is overdue is said to be
 */
export function renderCard(
  { governance, ...folder }: CardOf & Pick<ModelVersion, 'governance'>,
  format: CardFormat,
  today: string,
): string {
  const version = { ...folder, card: cardAtSite({ ...folder, ...(governance && { governance }) }) };
  const sections = [...cardSections(version, today), sourceAttributeSection(version)];
  switch (format) {
    case 'html':
      return cardHtml(titleOf(version), leadOf(version), sections);
    case 'markdown':
      return cardMarkdown(titleOf(version), leadOf(version), sections);
    case 'json':
      return JSON.stringify(
        { digest: version.digest, card: version.card, ...sourceAttributesJson(version) },
        undefined,
        2,
      );
  }
}

/** The 31 source attributes by key: each with a value, or `not available` and, where the card says so, why (DSI-40). */
export function sourceAttributesJson(version: CardOf): {
  readonly rule: string;
  readonly sourceAttributes: Readonly<Record<string, object>>;
} {
  const attributes = sourceAttributes(version).map(({ key, group, name, value, because }) => [
    key,
    { group, name, available: value !== undefined, value: value ?? notAvailableText, ...(because && { because }) },
  ]);
  return { rule: sourceAttributesRule, sourceAttributes: Object.fromEntries(attributes) };
}

/** The card as its model's Device holds it: what does not change with the day, and without the table of source attributes. */
export function deviceCardMarkdown(version: CardOf): string {
  return cardMarkdown(titleOf(version), leadOf(version), cardSections(version));
}

function titleOf({ manifest: { title, version } }: CardOf): string {
  return `${title}, version ${version}`;
}

function leadOf({ manifest }: CardOf): string[] {
  return manifest.demonstration === undefined ? [] : ['A demonstration model: not for clinical use.'];
}
