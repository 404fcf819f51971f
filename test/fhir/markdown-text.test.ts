import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clipped, markdownText, plainText } from '../../src/fhir/markdown-text.ts';

describe('text of models and records in Markdown (CDS-33)', () => {
  test.each([
    ['# not a heading', '\\# not a heading'],
    ['1. not a list', '1\\. not a list'],
    ['- not a list', '\\- not a list'],
    ['14.7 % (147 in 1,000)', '14.7 % (147 in 1,000)'],
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['[a](https://evil.example)', '\\[a\\](https\\://evil.example)'],
    ['![a](x)', '!\\[a\\](x)'],
    ['www.evil.example', 'www\\.evil.example'],
    ['*bold* _and_ `code` ~no~ a|b \\', '\\*bold\\* \\_and\\_ \\`code\\` \\~no\\~ a\\|b \\\\'],
    ['two\n\nparagraphs\u2028and\u0007more', 'two paragraphs and more'],
    ['AT&T &lt;', 'AT&amp;T &amp;lt;'],
  ])('%j is shown as it is', (text, markdown) => {
    expect(markdownText(text)).toBe(markdown);
  });

  test('is one line of whole characters, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const markdown = markdownText(text);
        expect(markdown).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029<>]/u);
        expect(markdown).not.toMatch(/(^|[^\\])(\\\\)*[[\]`*_|~]/);
      }),
    );
  });

  test('is clipped between characters, with an ellipsis, and never longer than allowed (CDS-32)', () => {
    expect(clipped('abc', 3)).toBe('abc');
    expect(clipped('abcd', 3)).toBe('ab…');
    expect(clipped('ab😀cd', 4)).toBe('ab…');
    expect(clipped('abc', 0)).toBe('');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, length) => {
        const short = clipped(plainText(text), length);
        expect(short.length).toBeLessThanOrEqual(length);
        expect(short.isWellFormed()).toBe(true);
      }),
    );
  });
});
