import { expect, test } from 'vitest';
import { isCertainText, noPassedTexts, textKind, textKindOf } from '../../src/fhir/certain-text.ts';
import { formats } from '../../src/fhir/resource-schemas.ts';
import { seededRandom } from '../support/seeded-random.ts';

interface Case {
  readonly pattern?: string;
  readonly format?: string;
  readonly usual: readonly string[];
}

const cases: Record<string, Case> = {
  xhtml: { usual: ['<div>BMI 27 kg/m²\n</div>', `<div>${'x'.repeat(100)}</div>`] },
  text: { pattern: '^[ \\r\\n\\t\\S]+$', usual: ['a', ' ', 'two words', 'ümläut', `−5 ${'long '.repeat(20)}`] },
  uri: { pattern: '^\\S*$', usual: ['http://loinc.org', 'urn:oid:1.2.3', `http://${'x'.repeat(200)}`] },
  code: { pattern: '^[^\\s]+(\\s[^\\s]+)*$', usual: ['final', 'mm[Hg]'] },
  id: { pattern: '^[A-Za-z0-9\\-\\.]{1,64}$', usual: ['17', 'a-B.9', 'x'.repeat(64)] },
  date: { format: 'fhir-date', usual: ['2026', '2026-02', '2026-02-28'] },
  dateTime: { format: 'fhir-dateTime', usual: ['2026-02-28', '2026-02-28T08:00:00Z', '2026-02-28T08:00:00.123+01:00'] },
  instant: { format: 'fhir-instant', usual: ['2026-02-28T08:00:00Z'] },
  reference: { format: 'fhir-reference', usual: ['Patient/17', 'Observation/a-b.c', `Group/${'x'.repeat(64)}`] },
};

/** What the definitions say, character by character and without a short cut. */
function isAllowed({ pattern, format }: Case, text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (text === '' || /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) || !text.isWellFormed()) return false;
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(text)) return false;
  return format === undefined || formats[format]?.(text) === true;
}

function randomText(random: () => number, usual: readonly string[]): string {
  const pick = <T>(list: ArrayLike<T>): T => list[Math.floor(random() * list.length)] as T;
  const characters =
    'aZ09-./ #:_\t\n\r\u0000\u001f\u007f\u0085\u00a0²\u1680\u2007\u2028\u2060−\u3000\ufeff\ud800\udc00€';
  let text = pick([...usual, '', 'x'.repeat(65), 'Ab/', '/a', 'A/b']);
  for (let changes = Math.floor(random() * 4); changes > 0; changes--) {
    const at = Math.floor(random() * (text.length + 1));
    text = text.slice(0, at) + pick(characters) + text.slice(at + (random() < 0.5 ? 1 : 0));
  }
  return text;
}

test.each(Object.entries(cases))('what is certainly a %s is one by its pattern and format', (_, one) => {
  const kind = textKindOf(one.pattern, one.format);
  if (kind === textKind.none) throw new Error('no check');
  const passed = noPassedTexts();
  const isCertain = (text: string): boolean => isCertainText(kind, text, passed);
  for (const text of one.usual) expect([text, isCertain(text), isAllowed(one, text)]).toEqual([text, true, true]);
  const wrong: string[] = [];
  const look = (text: string) => {
    // Twice: what was passed once is remembered.
    for (const _time of [1, 2]) if (isCertain(text) && !isAllowed(one, text)) wrong.push(text);
  };
  for (let unit = 0; unit < 0x10000; unit++) {
    const character = String.fromCharCode(unit);
    look(character);
    look(`a ${character}${'x'.repeat(20)}`);
    look(`a${character}/b`);
  }
  const random = seededRandom(7);
  for (let round = 0; round < 20_000; round++) look(randomText(random, one.usual));
  expect(wrong.map((text) => JSON.stringify(text))).toEqual([]);
});

test('a pattern or a format that is not known has no quick answer', () => {
  expect(textKindOf('^x$', undefined)).toBe(textKind.none);
  expect(textKindOf(undefined, 'fhir-base64Binary')).toBe(textKind.none);
  expect(textKindOf('^\\S*$', 'fhir-reference')).toBe(textKind.none);
});
