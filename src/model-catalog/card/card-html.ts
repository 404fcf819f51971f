import { element, escapeXhtml } from '../../fhir/xhtml.ts';
import type { CardBlock, CardSection } from './card-sections.ts';

/** A card as one HTML page that loads nothing and runs nothing. No text of a card becomes markup. */
export function cardHtml(title: string, lead: readonly string[], sections: readonly CardSection[]): string {
  const contents = sections.map(
    (section, index) => `<li><a href="#s${index + 1}">${escapeXhtml(section.title)}</a></li>`,
  );
  return [
    '<!DOCTYPE html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeXhtml(`Model card: ${title}`)}</title><style>${style}</style></head><body><main>`,
    element('h1', title),
    ...lead.map((text) => `<p class="lead">${escapeXhtml(text)}</p>`),
    `<nav aria-label="Sections"><ul>${contents.join('')}</ul></nav>`,
    ...sections.map(
      (section, index) =>
        `<section aria-labelledby="s${index + 1}"><h2 id="s${index + 1}">${escapeXhtml(section.title)}</h2>${section.blocks.map(block).join('')}</section>`,
    ),
    '</main></body></html>\n',
  ].join('\n');
}

function block(content: CardBlock): string {
  if ('text' in content) return `<p>${lines(content.text)}</p>`;
  if ('items' in content) return `<ul>${content.items.map((item) => element('li', item)).join('')}</ul>`;
  const { head, rows } = content;
  const named = head.some((title) => title !== '');
  const columns = head.map((title) => `<th scope="col">${escapeXhtml(title)}</th>`).join('');
  const body = rows.map(([first = '', ...rest]) => {
    const cells = rest.map((cell) => `<td>${lines(cell)}</td>`).join('');
    return `<tr><th scope="row">${lines(first)}</th>${cells}</tr>`;
  });
  return `<table>${named ? `<thead><tr>${columns}</tr></thead>` : ''}<tbody>${body.join('')}</tbody></table>`;
}

function lines(text: string): string {
  return text.split('\n').map(escapeXhtml).join('<br>');
}

const style = [
  'body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;margin:0}',
  'main{max-width:60rem;margin:0 auto;padding:1rem}',
  'h1{line-height:1.2}h2{margin-top:2rem;border-bottom:1px solid #767676}',
  '.lead{border-left:.4rem solid #a33;padding:.4rem .8rem;font-weight:600}',
  'nav ul{columns:2;padding-left:1.2rem}a{color:#0b4f8a}',
  'table{border-collapse:collapse;width:100%;margin:.8rem 0}',
  'th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #ccc;overflow-wrap:anywhere}',
  'thead th{background:#eee}tbody th{font-weight:600}',
  '@media print{nav{display:none}}',
].join('');
