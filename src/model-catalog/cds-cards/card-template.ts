import type { Finding } from '../finding.ts';

/** Words that stand in a line; each is escaped where it is filled in. */
const words = ['outcome', 'model', 'version', 'asOf'] as const;
const scoredWords = ['score', 'band'] as const;
/** Parts of a detail that the server writes, each on a line of its own. */
const blocks = ['basis', 'signature'] as const;
const scoredBlocks = ['risk', 'contributions', 'otherOutcomes'] as const;
const unscoredBlocks = ['reasons'] as const;

/** What a template of a card with a score, or of one without, may name. */
export const placeholders = {
  scored: { words: [...words, ...scoredWords], blocks: [...blocks, ...scoredBlocks] },
  unscored: { words: [...words], blocks: [...blocks, ...unscoredBlocks] },
} as const;

export type CardKind = keyof typeof placeholders;
export type TemplateWord = (typeof words)[number] | (typeof scoredWords)[number];
export type TemplateBlock = (typeof blocks)[number] | (typeof scoredBlocks)[number] | (typeof unscoredBlocks)[number];

/** Markdown of the model's author, and names of what is filled in between. */
export type CardTemplate = readonly (
  | { readonly markdown: string }
  | { readonly word: TemplateWord }
  | { readonly block: TemplateBlock }
)[];

/** Where a placeholder would stand in an address, in whichever way GitHub-Flavored Markdown finds one. */
const addresses = [
  /:\/\/\S*\{\{/,
  // The destination of a link: it may stand on the next line, and hold parentheses.
  /\]\((?:\s*\S*|[^)\n]*)\{\{/,
  // The definition of a reference, and the line after one that is empty.
  /\]:(?:[^\n]*|[ \t]*\n[^\n]*)\{\{/,
  // An address without a scheme, and one of mail.
  /www\.\S*\{\{/i,
  /@\S*\{\{|\}\}\S*@|mailto:\S*\{\{/i,
] as const;

const longest = 8_000;
const placeholder = /\{\{ *([A-Za-z]+) *\}\}/g;

/**
 * Reads a template. It has no conditions and no loops: another card is another template. What no reader may miss must be
 * there: the number or the reasons, what it rests on, and who says it.
 * @returns undefined where something is wrong; a finding says what
 */
export function parseCardTemplate(
  file: string,
  bytes: Uint8Array,
  kind: CardKind,
  findings: Finding[],
): CardTemplate | undefined {
  const before = findings.length;
  const find = (message: string): void => void findings.push({ file, path: '', message });
  const text = decoded(bytes);
  if (text === undefined || /[^\P{Cc}\n\t]/u.test(text)) {
    find('is not text in UTF-8 without control characters');
    return undefined;
  }
  if (text.length > longest) find(`has ${text.length} characters; at most ${longest} are read`);
  if (/<[a-z/!?]/i.test(text)) find('holds HTML; write GitHub-Flavored Markdown without it, and &lt; for the sign');
  if (/!\[/.test(text)) find('holds an image: it would tell its server whose record is open');
  if (addresses.some((address) => address.test(text)))
    find('has a placeholder in an address: no value of a patient leaves in a link');
  const template = partsOf(text, kind, find);
  const named = new Set(template.map((part) => ('word' in part ? part.word : 'block' in part ? part.block : '')));
  for (const needed of ['basis', 'signature'] as const)
    if (!named.has(needed)) find(`does not hold {{${needed}}}: ${reasonOf[needed]}`);
  if (kind === 'scored' && !named.has('score') && !named.has('risk')) find('holds neither {{score}} nor {{risk}}');
  if (kind === 'unscored' && !named.has('reasons'))
    find('does not hold {{reasons}}: a reader must see why there is no number');
  return findings.length > before ? undefined : template;
}

const reasonOf = {
  basis: 'a reader must see what was assumed or missing, and the cautions',
  signature: 'a reader must see which model says it, and as of when',
} as const;

function partsOf(text: string, kind: CardKind, find: (message: string) => void): CardTemplate {
  const allowed = placeholders[kind];
  const parts: CardTemplate[number][] = [];
  let end = 0;
  for (const match of text.matchAll(placeholder)) {
    const [whole, name = ''] = match;
    parts.push({ markdown: text.slice(end, match.index) });
    end = match.index + whole.length;
    const word = allowed.words.find((known) => known === name);
    const block = allowed.blocks.find((known) => known === name);
    if (word !== undefined) parts.push({ word });
    else if (block === undefined)
      find(`names {{${name}}}, which is none of ${[...allowed.words, ...allowed.blocks].join(', ')}`);
    else if (isAlone(text, match.index, end)) parts.push({ block });
    else find(`has {{${name}}} beside other text; give it a line of its own`);
  }
  parts.push({ markdown: text.slice(end) });
  if (parts.some((part) => 'markdown' in part && /\{\{|\}\}/.test(part.markdown)))
    find('holds {{ or }} that belong to no placeholder');
  return parts;
}

function isAlone(text: string, from: number, to: number): boolean {
  return (from === 0 || text[from - 1] === '\n') && (to === text.length || text[to] === '\n');
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\r\n', '\n');
  } catch {
    return undefined;
  }
}
