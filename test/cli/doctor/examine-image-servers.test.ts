import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examineImageServers } from '../../../src/cli/doctor/examine-image-servers.ts';
import { showImageServers } from '../../../src/cli/doctor/show-image-servers.ts';
import { type StubImageServer, startStubImageServer } from '../../support/stub-image-server.ts';

let folder: string;
let stub: StubImageServer;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-doctor-images-'));
  stub = await startStubImageServer();
});
afterAll(async () => {
  await stub.close();
  await rm(folder, { recursive: true, force: true });
});

async function examine(servers: object) {
  const imagingFile = path.join(folder, 'imaging.json');
  await writeFile(imagingFile, JSON.stringify({ servers }));
  return await examineImageServers({ imagingFile, outboundPrivateHosts: [] });
}

describe('the image servers in fhirsight doctor', () => {
  it('are asked each with its own secret, and those that fail say why and not whom they hold', async () => {
    await writeFile(path.join(folder, 'token'), 'a-secret-token\n');
    stub.answer = (request, response) => {
      const knows = request.headers.authorization === 'Bearer a-secret-token';
      response.writeHead(knows ? 200 : 401, { 'content-type': 'application/dicom+json' });
      response.end(knows ? '[{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]}}]' : '');
    };
    const found = await examine({
      pacs: { url: `${stub.url}/dicom-web`, tokenFile: 'token' },
      archive: { url: `${stub.url}/archive` },
      lost: { url: `${stub.url}/lost`, tokenFile: 'nowhere' },
    });
    expect(found).toEqual([
      { name: 'pacs', base: `${stub.url}/dicom-web`, answers: true },
      {
        name: 'archive',
        base: `${stub.url}/archive`,
        answers: false,
        reason: expect.stringContaining('does not accept the credentials (401)'),
      },
      {
        name: 'lost',
        base: `${stub.url}/lost`,
        answers: false,
        reason: expect.stringContaining('cannot be read (ENOENT)'),
      },
    ]);
    expect(stub.requests.map(({ path: asked }) => asked).sort()).toEqual([
      '/archive/studies?limit=1',
      '/dicom-web/studies?limit=1',
    ]);
    const text = showImageServers(found);
    expect(text).toContain(`pacs        answers (${stub.url}/dicom-web)`);
    expect(text).toContain('archive     FAILS: The image server archive');
    expect(text).not.toMatch(/Doe|secret/);
  });

  it('are none where IMAGING_FILE is not set', async () => {
    expect(await examineImageServers({ outboundPrivateHosts: [] })).toEqual([]);
    expect(showImageServers([])).toBe('');
  });
});
