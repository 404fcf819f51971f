import { describe, expect, it } from 'vitest';
import { openText, openTextIfHeld, sealText } from '../../src/platform/sealed-text.ts';
import { createValuesCipher, parseKeys } from '../../src/platform/values-cipher.ts';

const keyOf = (id: string, fill: number): string => `${id}:${Buffer.alloc(32, fill).toString('base64')}`;
const cipher = createValuesCipher(parseKeys('the test', keyOf('k1', 1)));
const place = { table: 'runs', column: 'cohort', row: ['a', 'b'] };

describe('a text that is sealed', () => {
  it('opens in its place, also after the key was rotated, and shows nothing of itself', () => {
    const kept = sealText('Patient?name=Verne ü', place, cipher);
    expect(kept).toMatch(/^sealed k1 /);
    expect(Buffer.from(kept.split(' ')[3] ?? '', 'base64').toString('latin1')).not.toContain('Verne');
    const rotated = createValuesCipher(parseKeys('the test', `${keyOf('k2', 2)}\n${keyOf('k1', 1)}`));
    expect(openText(kept, place, rotated)).toBe('Patient?name=Verne ü');
    expect(openTextIfHeld('', place, cipher)).toEqual({ text: '' });
    expect(openText(sealText('', place, cipher), place, cipher)).toBe('');
  });

  it.each([
    { ...place, table: 'cds_feedback' },
    { ...place, column: 'reason' },
    { ...place, row: ['a'] },
    { ...place, row: ['a,b'] },
    { ...place, row: ['a', 'b', ''] },
    { table: 'runs', column: 'cohort","a', row: ['b'] },
  ])('does not open in another place: %j', (elsewhere) => {
    const kept = sealText('Patient?name=Verne', place, cipher);
    expect(() => openText(kept, elsewhere, cipher)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });

  it('does not open where one letter of it was changed', () => {
    const [mark, key, nonce, sealed = ''] = sealText('Patient?name=Verne', place, cipher).split(' ');
    const changed = [mark, key, nonce, `${sealed.startsWith('A') ? 'B' : 'A'}${sealed.slice(1)}`].join(' ');
    expect(() => openText(changed, place, cipher)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });

  it('names its key where that is not at hand', () => {
    const other = createValuesCipher(parseKeys('the test', keyOf('k9', 9)));
    const kept = sealText('Patient?name=Verne', place, cipher);
    expect(openTextIfHeld(kept, place, other)).toEqual({ sealedWith: 'k1' });
    expect(openTextIfHeld(kept, place, undefined)).toEqual({ sealedWith: 'k1' });
    expect(() => openText(kept, place, other)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('is told from one in the clear, whatever that begins with', () => {
    for (const clear of ['', '{"all":true}', 'sealed', 'sealed by a clinician', 'sealed k1 AAAA BBBB'])
      expect(openTextIfHeld(clear, place, cipher)).toEqual({ text: clear });
  });
});
