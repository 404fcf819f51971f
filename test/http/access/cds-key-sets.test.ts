import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCdsClients } from '../../../src/http/access/cds-key-sets.ts';
import { KeysUnreachable, keyCoolDownMs, longestKeyAgeMs, NoSuchKey } from '../../../src/http/access/key-set.ts';
import { type CdsClient, createCdsClient } from '../../support/cds-client.ts';
import { createVirtualTime } from '../../support/virtual-time.ts';

let folder: string;
let keysFile: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-keys-'));
  keysFile = path.join(folder, 'keys.json');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The keys of a client whose keysFile holds those of `client`. */
async function opened(client: CdsClient) {
  const time = createVirtualTime();
  const write = () => writeFile(keysFile, JSON.stringify(client.keySet()));
  await write();
  const { issuer, alg } = client;
  const declared = { name: 'ehr', issuer, keysFile, algorithms: [alg], fhirServers: [], writesBack: false };
  const nobody: typeof fetch = async () => Promise.reject(new Error('a file is asked of nobody'));
  const clients = await openCdsClients([{ ...declared, systemActions: false }], { fetch: nobody, clock: time.clock });
  const kid = (): string => client.keySet().keys.at(-1)?.kid ?? '';
  const find = async (name: string): Promise<unknown> =>
    clients.get(issuer)?.keys?.keyFor({ alg, kid: name }, { payload: '', signature: '' });
  return { time, write, kid, find };
}

test('CDS-65: a new key in a keysFile lets its client in without a restart, and one that was taken out no longer', async () => {
  const client = await createCdsClient();
  const { time, write, kid, find } = await opened(client);
  const old = kid();
  await find(old);
  await client.rotate(false);
  await write();
  await time.advance(keyCoolDownMs);
  await expect(find(kid())).resolves.toBeDefined();
  await expect(find(old)).rejects.toThrow(NoSuchKey);
});

test('CDS-65: a key that was taken out of a keysFile is believed for ten minutes at most', async () => {
  const client = await createCdsClient();
  const { time, write, kid, find } = await opened(client);
  const old = kid();
  await find(old);
  await client.rotate(false);
  await write();
  await time.advance(longestKeyAgeMs - 1);
  await expect(find(old)).resolves.toBeDefined();
  await time.advance(1);
  await expect(find(old)).rejects.toThrow(NoSuchKey);
});

test('CDS-65: a keysFile that is broken meanwhile lets nobody in once its keys are old', async () => {
  const { time, kid, find } = await opened(await createCdsClient());
  await find(kid());
  await writeFile(keysFile, '{"keys": [');
  await time.advance(longestKeyAgeMs);
  await expect(find(kid())).rejects.toThrow(KeysUnreachable);
});
