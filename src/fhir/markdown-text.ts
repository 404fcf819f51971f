/** Nothing here needs a change. */
const plain = /^[!-~]+(?: [!-~]+)*$/;

/** Text of a model or a record as one line, without control characters and half characters. */
export function plainText(text: string): string {
  if (plain.test(text)) return text;
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
}

/** What begins markup, HTML, a link, or, at the start of a line, a heading or a list. */
const markup = /[\\`*_[\]|~&<>]|:\/\/|www\.|^[#+-]|^\d+[.)](?=\s|$)/gi;
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Text as GitHub-Flavored Markdown that shows exactly that text: no markup, HTML, list or link comes of it, also where a
 * reader takes Markdown for HTML.
 */
export function markdownText(text: string): string {
  return plainText(text).replaceAll(
    markup,
    (mark) => entities[mark] ?? (/^[\dw]/i.test(mark) ? `${mark.slice(0, -1)}\\${mark.slice(-1)}` : `\\${mark}`),
  );
}

/** A Markdown list of lines that are Markdown already. */
export function listed(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

/** Text of at most `length` UTF-16 units, cut between characters and with an ellipsis where it was longer. */
export function clipped(text: string, length: number): string {
  if (text.length <= length) return text;
  let kept = '';
  for (const character of text) {
    if (kept.length + character.length > length - 1) break;
    kept += character;
  }
  return length < 1 ? '' : `${kept.trimEnd()}…`;
}
