import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createValuesCipher, parseKeys, readValuesKeys } from '../../src/platform/values-cipher.ts';

const base64Key = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
const old = parseKeys('VALUES_KEY', `k1:${base64Key(1)}`);
const rotated = parseKeys('VALUES_KEY', `k2:${base64Key(2)}\nk1:${base64Key(1)}\n`);

describe('values that are sealed', () => {
  it('are read again by who has the key, and look different each time', () => {
    const cipher = createValuesCipher(old);
    const [one, other] = [cipher.seal('213.456 mg/dL ü', 'ward/1'), cipher.seal('213.456 mg/dL ü', 'ward/1')];
    expect(cipher.open(one, 'ward/1')).toBe('213.456 mg/dL ü');
    expect(one.sealed.includes('213.456')).toBe(false);
    expect(one.nonce.equals(other.nonce)).toBe(false);
    expect(one.sealed.equals(other.sealed)).toBe(false);
  });

  it('of an earlier key open after a rotation, and new ones are sealed with the first key', () => {
    const earlier = createValuesCipher(old).seal('x', 'ward/1');
    const cipher = createValuesCipher(rotated);
    expect(cipher.open(earlier, 'ward/1')).toBe('x');
    expect(cipher.seal('x', 'ward/1').key).toBe('k2');
    expect(() => createValuesCipher(old).open(cipher.seal('x', 'ward/1'), 'ward/1')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining("'k2'") }),
    );
  });

  it('do not open when a bit is changed, wherever it stands', () => {
    const cipher = createValuesCipher(old);
    const sealed = cipher.seal('213.456', 'ward/1');
    for (let at = 0; at < sealed.sealed.length; at++) {
      const changed = Buffer.from(sealed.sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => cipher.open({ ...sealed, sealed: changed }, 'ward/1')).toThrow('do not open');
    }
    expect(() => cipher.open({ ...sealed, nonce: randomBytes(12) }, 'ward/1')).toThrow('do not open');
    expect(() => cipher.open({ ...sealed, sealed: sealed.sealed.subarray(0, 5) }, 'ward/1')).toThrow('do not open');
  });

  it('do not open as those of another prediction or another tenant', () => {
    const cipher = createValuesCipher(old);
    const sealed = cipher.seal('x', 'ward/1');
    expect(() => cipher.open(sealed, 'ward/2')).toThrow('do not open');
    expect(() => cipher.open(sealed, 'other/1')).toThrow('do not open');
  });
});

describe('VALUES_KEY', () => {
  it.each([
    ['', 'holds none'],
    ['k1', 'Key 1'],
    [`K1:${base64Key(1)}`, 'Key 1'],
    [`k1:${Buffer.alloc(16).toString('base64')}`, 'Key 1'],
    [`k1:${base64Key(1)},k1:${base64Key(2)}`, 'Key 2'],
  ])('is refused where it is %j, and never repeated', (text, says) => {
    expect(() => parseKeys('VALUES_KEY', text)).toThrow(says);
    try {
      parseKeys('VALUES_KEY', text);
    } catch (error) {
      expect(String(error)).not.toContain(base64Key(1));
    }
  });

  it('is not set beside VALUES_KEY_FILE, and need not be set at all', async () => {
    expect(await readValuesKeys({})).toBeUndefined();
    await expect(readValuesKeys({ valuesKey: `k1:${base64Key(1)}`, valuesKeyFile: 'x' })).rejects.toThrow('both set');
    await expect(readValuesKeys({ valuesKeyFile: '/nowhere/keys' })).rejects.toThrow('ENOENT');
  });
});
