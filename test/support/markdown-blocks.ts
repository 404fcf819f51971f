import { readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

/** A fenced block of a document, and what the comment above it says: `<!-- status: 422 -->` is name and value. */
export interface MarkdownBlock {
  readonly language: string;
  readonly text: string;
  readonly mark?: { readonly name: string; readonly value: string };
  /** Line of the fence, counted from 1. */
  readonly line: number;
}

/** @param file relative to the project's root */
export function readDocument(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** The fenced blocks of a document, in order. */
export function blocksOf(file: string): MarkdownBlock[] {
  const lines = readDocument(file).split('\n');
  const blocks: MarkdownBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const language = /^```(\w+)$/.exec(lines[at] ?? '')?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`${file}:${at + 1}: the block has no end`);
    const [, name, value = ''] = /^<!-- ([a-z]+)(?:: (.+))? -->$/.exec(lines[at - 1] ?? '') ?? [];
    const text = lines.slice(at + 1, end).join('\n');
    blocks.push({ language, text, line: at + 1, ...(name === undefined ? {} : { mark: { name, value } }) });
    at = end;
  }
  return blocks;
}

/** Rows of the Markdown tables of a document, each as its cells, without heads. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n');
  return lines
    .filter((line, index) => line.startsWith('| ') && !/^\|-/.test(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
}
