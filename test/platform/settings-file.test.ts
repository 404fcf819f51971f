import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, describe, expect, it } from 'vitest';
import { settingsFile } from '../../src/platform/settings-file.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const about = { variable: 'SINKS_FILE', form: '{"sinks": [...]}', docs: 'docs/deliveries.md', optional: true };
const fileWith = (content: string | Uint8Array): string => {
  const file = path.join(folder, 'sinks.json');
  writeFileSync(file, content);
  return file;
};

describe('a file of settings', () => {
  it('is JSON in UTF-8', async () => {
    expect(await settingsFile({ ...about, file: fileWith('{"a": "ü"}') }).read()).toEqual({ a: 'ü' });
  });

  it.each([
    ['cut off', '{"sinks": ['],
    ['in another encoding', Buffer.from('{"a": "ü"}', 'latin1')],
    ['empty', ''],
  ])('that is %s is refused with the setting, the file and its form', async (_, content) => {
    const file = fileWith(content);
    await expect(settingsFile({ ...about, file }).read()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `SINKS_FILE ${file} is not JSON in UTF-8. Write {"sinks": [...]}; docs/deliveries.md has an example.`,
    });
  });

  it('that is not there is refused with the way out: without it only where the server can do without it', async () => {
    const file = path.join(folder, 'none.json');
    const said = async (optional: boolean): Promise<unknown> => {
      const refused = settingsFile({ ...about, optional, file }).read();
      return await refused.catch((error: Error) => error.message);
    };
    const start = `SINKS_FILE ${file} cannot be read (ENOENT). Name a file this user may read`;
    expect([await said(true), await said(false)]).toEqual([`${start}, or unset SINKS_FILE.`, `${start}.`]);
  });

  it('has each fault said once, with its place, in the words of the file where it has its own', () => {
    const settings = settingsFile({
      ...about,
      file: 'sinks.json',
      ownWords: ({ keyword }, at) => (keyword === 'pattern' ? `${at} must be lower-case letters.` : undefined),
    });
    const schema = {
      type: 'object',
      properties: { name: { type: 'string', pattern: '^[a-z]+$' }, kind: { enum: ['a', 'b'] }, few: { maximum: 3 } },
      required: ['url'],
      additionalProperties: false,
    };
    const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);
    expect(validate({ name: '7', kind: 'c', few: 4, more: 1 })).toBe(false);
    const faults = settings.faultsOf([...(validate.errors ?? []), ...(validate.errors ?? [])], '/sinks/0');
    expect(faults.sort()).toEqual([
      "/sinks/0 has the unknown field 'more'. Remove it, or see docs/deliveries.md for its right name.",
      "/sinks/0 lacks the field 'url'. Add it.",
      '/sinks/0/few must be <= 3.',
      '/sinks/0/kind has a value that is not allowed there; docs/deliveries.md lists the values.',
      '/sinks/0/name must be lower-case letters.',
    ]);
    expect(settings.invalid(['/a is bad.', '/b is bad.'])).toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'SINKS_FILE sinks.json: /a is bad.\nSINKS_FILE sinks.json: /b is bad.',
      issues: [{ message: 'SINKS_FILE sinks.json: /a is bad.' }, { message: 'SINKS_FILE sinks.json: /b is bad.' }],
    });
  });
});
