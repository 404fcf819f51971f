import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createImageSources } from '../../../src/imaging/dicomweb/create-image-sources.ts';
import type { ImageSource, ImageSources } from '../../../src/imaging/dicomweb/image-sources.ts';
import { outboundTo } from '../../support/outbound-to.ts';
import { all, type StubImageServer, startStubImageServer } from '../../support/stub-image-server.ts';

let pacs: StubImageServer;
let archive: StubImageServer;
let sources: ImageSources;
let token = 'first-token';
beforeAll(async () => {
  [pacs, archive] = await Promise.all([startStubImageServer(), startStubImageServer()]);
  const common = { endpoints: [], allowPlainHttp: false, connections: 2 };
  sources = createImageSources(
    {
      servers: {
        pacs: {
          ...common,
          url: `${pacs.url}/dicom-web`,
          endpoints: ['https://images.example.org/dicom-web'],
          user: 'reader',
          passwordVariable: 'PACS_PASSWORD',
        },
        archive: {
          ...common,
          url: `${archive.url}/wado`,
          qidoUrl: `${archive.url}/qido`,
          stowUrl: `${archive.url}/stow`,
          tokenVariable: 'ARCHIVE_TOKEN',
        },
        bare: { ...common, url: `${pacs.url}/open`, tokenVariable: 'NOT_SET' },
      },
      default: 'archive',
      limits: {
        timeoutMs: 5_000,
        objectBytes: 1_000,
        metadataBytes: 1_000,
        studyBytes: 1_000,
        frames: 1,
        memoryBytes: 1_000,
      },
    },
    {
      outbound: outboundTo(pacs.url, archive.url),
      readVariable: (name) => ({ PACS_PASSWORD: 'pässword', ARCHIVE_TOKEN: token })[name],
    },
  );
  for (const stub of [pacs, archive]) {
    stub.answer = (_request, response) => void response.writeHead(204).end();
  }
});
afterAll(async () => {
  await sources.close();
  await Promise.all([pacs.close(), archive.close()]);
});
beforeEach(() => {
  for (const { requests } of [pacs, archive]) requests.splice(0);
});

/** The server that an Endpoint names by the address. */
function named(address: string): ImageSource {
  const source = sources.sourceFor(address);
  if (source === undefined) throw new Error('It is listed.');
  return source;
}

describe('the image servers of IMAGING_FILE', () => {
  it('DW-4: are found by the address of an Endpoint, with and without /studies and a slash at the end', () => {
    for (const end of ['', '/', '/studies', '/studies/', '//']) {
      expect(sources.sourceFor(`${pacs.url}/dicom-web${end}`)?.name).toBe('pacs');
    }
    expect(sources.sourceFor('HTTPS://Images.example.org:443/dicom-web')?.name).toBe('pacs');
    expect(sources.defaultSource()?.name).toBe('archive');
  });

  it.each([
    ['another path of a listed host', () => `${pacs.url}/dicom-web-2`],
    ['a path below it', () => `${pacs.url}/dicom-web/aets/OTHER`],
    ['another port', () => 'http://127.0.0.1:1/dicom-web'],
    ['the metadata service of a cloud', () => 'http://169.254.169.254/dicom-web'],
    ['a listed host with a user', () => `${pacs.url.replace('//', '//reader@')}/dicom-web`],
    ['a listed host with a query', () => `${pacs.url}/dicom-web?x`],
    ['no URL', () => 'dicom-web'],
    ['a file', () => 'file:///dicom-web'],
  ])('DW-4: are not found by %s', (_, address) => {
    expect(sources.sourceFor(address())).toBeUndefined();
  });

  it('are asked each with its own secret, as it is now', async () => {
    await all(named('https://images.example.org/dicom-web').studyMetadata('1.2'));
    await all(named(`${archive.url}/wado`).studyMetadata('1.2'));
    token = 'second-token';
    await sources.defaultSource()?.countInstances('1.2');
    const basic = `Basic ${Buffer.from('reader:pässword', 'utf8').toString('base64')}`;
    expect(pacs.requests.map(({ headers }) => headers.authorization)).toEqual([basic]);
    expect(archive.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/wado/studies/1.2/metadata', 'Bearer first-token'],
      ['/qido/studies?StudyInstanceUID=1.2&includefield=00201208', 'Bearer second-token'],
    ]);
  });

  it('are not asked where their secret is not there', async () => {
    const asking = sources.sourceFor(`${pacs.url}/open`)?.countInstances('1.2');
    await expect(asking).rejects.toThrow('is not asked: its tokenVariable holds no secret');
    expect(pacs.requests).toEqual([]);
  });

  it('have a base of their own for what is stored', async () => {
    await expect(sources.defaultSource()?.store([Buffer.from('x')])).rejects.toMatchObject({
      code: 'IMAGES_UNREACHABLE',
    });
    expect(archive.requests.map(({ path }) => path)).toEqual(['/stow/studies']);
  });
});
