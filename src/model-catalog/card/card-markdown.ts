import { listed, markdownText } from '../../fhir/markdown-text.ts';
import type { CardBlock, CardSection } from './card-sections.ts';

/** A card in GitHub-Flavored Markdown. No text of a card becomes markup. */
export function cardMarkdown(title: string, lead: readonly string[], sections: readonly CardSection[]): string {
  const parts = [
    `# ${markdownText(title)}`,
    ...lead.map((text) => `**${markdownText(text)}**`),
    ...sections.flatMap((section) => [`## ${markdownText(section.title)}`, ...section.blocks.map(block)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function block(content: CardBlock): string {
  if ('text' in content) return lines(content.text);
  if ('items' in content) return listed(content.items.map(markdownText));
  const row = (cells: readonly string[]): string => `| ${cells.map(lines).join(' | ')} |`;
  return [row(content.head), row(content.head.map(() => '---')).replaceAll('\\', ''), ...content.rows.map(row)].join(
    '\n',
  );
}

/** The only HTML of it: a line break inside a cell, for which Markdown has no other. */
function lines(text: string): string {
  return text.split('\n').map(markdownText).join('<br>');
}
