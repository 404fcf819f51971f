import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseKeys } from '../../src/platform/values-cipher.ts';
import { readWorkKeys, refuseForeignWork, workKeyFile } from '../../src/platform/work-keys.ts';
import { openTestDatabase } from '../support/test-database.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-keys-'));
});
afterEach(() => rm(folder, { recursive: true }));

const configured = parseKeys('the test', `k1:${Buffer.alloc(32, 1).toString('base64')}`);
const file = (): string => path.join(folder, workKeyFile);

describe('the key of what waits, where none is configured', () => {
  it('is made once, for this user alone, and is the same after a restart', async () => {
    const keys = await readWorkKeys(folder, undefined);
    expect(keys.size).toBe(1);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await readWorkKeys(folder, undefined)).toEqual(keys);
    expect([...parseKeys('a copy', await readFile(file(), 'utf8'))]).toEqual([...keys]);
  });

  it('is another one at each installation', async () => {
    const [one] = await readWorkKeys(folder, undefined);
    await rm(file());
    const [other] = await readWorkKeys(folder, undefined);
    expect(one?.[0]).not.toBe(other?.[0]);
    expect(one?.[1].equals(other?.[1] ?? Buffer.alloc(0))).toBe(false);
  });

  it('replaces what a killed server has left of one, and refuses a file without a key, which names nothing of it', async () => {
    await writeFile(`${file()}.draft`, 'own-torn', { mode: 0o644 });
    await readWorkKeys(folder, undefined);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    await writeFile(file(), 'own-1:notakey');
    const error = await readWorkKeys(folder, undefined).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(file()) });
    expect(String(error)).not.toContain('notakey');
  });
});

describe('the key of what waits, where keys are configured', () => {
  it('is the first of those, and no file is made', async () => {
    expect([...(await readWorkKeys(folder, configured)).keys()]).toEqual(['k1']);
    await expect(stat(file())).rejects.toThrow('ENOENT');
  });

  it('stands before that of the installation, which opens what was sealed before', async () => {
    const [own = ''] = (await readWorkKeys(folder, undefined)).keys();
    expect([...(await readWorkKeys(folder, configured)).keys()]).toEqual(['k1', own]);
  });
});

describe('servers that share a PostgreSQL', () => {
  it('are refused without a configured key, but for the first one and its DATA_DIR', async () => {
    const { database, close } = await openTestDatabase();
    try {
      const shared = { kind: 'postgresql', query: database.query } as const;
      const first = await readWorkKeys(folder, undefined);
      await rm(file());
      const second = await readWorkKeys(folder, undefined);
      for (const _start of [1, 2]) await refuseForeignWork(shared, 'test', { own: first, configured: false });
      await expect(refuseForeignWork(shared, 'test', { own: second, configured: false })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/VALUES_KEY_FILE or VALUES_KEY, the same at each/),
      });
      await refuseForeignWork(shared, 'test', { own: second, configured: true });
      await refuseForeignWork(shared, 'another-tenant', { own: second, configured: false });
      await refuseForeignWork({ ...shared, kind: 'pglite' }, 'test', { own: second, configured: false });
    } finally {
      await close();
    }
  });
});
