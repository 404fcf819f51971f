import { element, escapeXhtml } from '../fhir/xhtml.ts';
import type { ReportPicture } from './result-request.ts';

/** What stands on the page. */
export interface ReportPageParts {
  readonly title: string;
  /** What must be read before anything else: see `notRead`. */
  readonly first: string;
  /** Each in a line of its own under the first: demonstration, test data. */
  readonly warnings: readonly string[];
  /** Name and value: whose, which study, when. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Escaped. */
  readonly findings: readonly string[];
  readonly pictures: readonly ReportPicture[];
  /** The narrative of the result: a `div` of XHTML, with its inputs, remarks and contributions. */
  readonly narrative: string;
}

/** The first line of every report, and of its conclusion. */
export const notRead = 'AI result, not read by a radiologist.';

export const findingsHeading = '<h2>Findings</h2>';

const style =
  'body{font:14px/1.4 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111}' +
  'h1{font-size:1.4em}.first{border:2px solid #a00;padding:.5em;font-weight:bold}' +
  'table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.2em .5em;text-align:left;vertical-align:top}' +
  'figure{display:inline-block;margin:0 1em 1em 0}img{max-width:28em;height:auto;image-rendering:pixelated}figcaption{max-width:28em}';

/**
 * A report as one page that a person reads, in HTML that needs nothing else: no script, no link, pictures inside of it.
 * It names the subject by reference only, as every result does.
 */
export function reportPage({ title, first, warnings, facts, findings, pictures, narrative }: ReportPageParts): string {
  const rows = facts.map(([name, value]) => `<tr>${element('th', name)}${element('td', value)}</tr>`).join('');
  return [
    `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>${element('title', title)}<style>${style}</style></head><body>`,
    `<p class="first">${escapeXhtml(first)}</p>`,
    ...warnings.map((warning) => element('p', warning)),
    element('h1', title),
    `<table><tbody>${rows}</tbody></table>`,
    `${findingsHeading}<ul>${findings.map((xhtml) => `<li>${xhtml}</li>`).join('')}</ul>`,
    ...pictures.map(figure),
    `<h2>What it rests on</h2>${narrative}`,
    '</body></html>\n',
  ].join('\n');
}

function figure({ title, png, rows, columns }: ReportPicture): string {
  const data = Buffer.from(png).toString('base64');
  const alternative = escapeXhtml(title);
  return `<figure><img src="data:image/png;base64,${data}" width="${columns}" height="${rows}" alt="${alternative}"/><figcaption>${alternative}</figcaption></figure>`;
}
