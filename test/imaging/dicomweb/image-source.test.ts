import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FramesAsked } from '../../../src/imaging/dicomweb/image-sources.ts';
import { ImageFault } from '../../../src/imaging/image-fault.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import {
  all,
  multipart,
  type StubImageServer,
  sourceOn,
  startStubImageServer,
} from '../../support/stub-image-server.ts';

let stub: StubImageServer;
beforeAll(async () => {
  stub = await startStubImageServer();
});
afterAll(() => stub.close());
beforeEach(() => stub.requests.splice(0));

const study = '1.2.3';
const address = { study, series: '1.2.3.4', instance: '1.2.3.4.5' };
const twoFrames: FramesAsked = { ...address, frameNumbers: [1, 2], transferSyntax: 'stored' };
const oneFrame: FramesAsked = { ...twoFrames, frameNumbers: [1] };
const jls = '1.2.840.10008.1.2.4.80';
const explicitLe = '1.2.840.10008.1.2.1';

const object = (more: object = {}) => ({
  '0020000D': { vr: 'UI', Value: [study] },
  '0020000E': { vr: 'UI', Value: ['1.2.3.4'] },
  '00080018': { vr: 'UI', Value: ['1.2.3.4.5'] },
  ...more,
});
function answers(status: number, type: string | undefined, body: string | Uint8Array): void {
  stub.answer = (_request, response) =>
    void response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body);
}
const json = (...objects: readonly object[]) => answers(200, 'application/dicom+json', JSON.stringify(objects));
const related = (type: string) => `multipart/related; type="application/octet-stream"; boundary=b${type}`;
const part = (bytes: string, headers = 'Content-Type: application/octet-stream') => ({
  headers,
  bytes: Buffer.from(bytes),
});

async function failureOf(work: Promise<unknown>): Promise<PredictionError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PredictionError)) throw new Error(`no PredictionError: ${String(error)}`);
  expect(error.code).toBe('IMAGES_UNREACHABLE');
  return error;
}

describe('the metadata of a study', () => {
  it('DW-10: are its data sets, asked for as DICOM JSON below the base', async () => {
    json(
      object({ '00280010': { vr: 'US', Value: [512] } }),
      object({ '7fe00010': { vr: 'OW', BulkDataURI: '/dicom-web/bulk' } }),
    );
    const found = await all(sourceOn(stub.url).studyMetadata(study));
    expect(found[0]?.['00280010']).toEqual({ vr: 'US', Value: [512] });
    expect(found[1]?.['7FE00010']).toEqual({ vr: 'OW', BulkDataURI: `${stub.url}/dicom-web/bulk` });
    expect(stub.requests).toMatchObject([
      { method: 'GET', path: '/dicom-web/studies/1.2.3/metadata', headers: { accept: 'application/dicom+json' } },
    ]);
  });

  it('DW-10: of one series are asked for below it', async () => {
    json(object());
    expect(await all(sourceOn(stub.url).seriesMetadata(study, '1.2.3.4'))).toHaveLength(1);
    expect(stub.requests[0]?.path).toBe('/dicom-web/studies/1.2.3/series/1.2.3.4/metadata');
  });

  it.each([204, 404, 410])('DW-13: are none where the server does not know it (%d)', async (status) => {
    answers(status, undefined, '');
    expect(await all(sourceOn(stub.url).studyMetadata(study))).toEqual([]);
  });

  it.each([
    ['DW-15: a login page', 200, 'text/html', '<html>', 'answered text/html, not DICOM JSON'],
    ['JSON that is no DICOM', 200, 'application/json', '[{"resourceType": "Patient"}]', 'not of the DICOM model'],
    ['half a data set', 200, 'application/json', '[{"0020000D": {"vr"', 'breaks off'],
    [
      'another study',
      200,
      'application/json',
      JSON.stringify([object({ '0020000D': { vr: 'UI', Value: ['9.9'] } })]),
      'of another study',
    ],
    ['a part of it', 206, 'application/json', '[]', 'only a part'],
    ['a redirect', 302, undefined, '', 'redirects elsewhere'],
    ['a refusal of the credentials', 401, 'text/plain', 'patient Doe', 'does not accept the credentials'],
    ['a refusal', 403, undefined, '', 'forbids this'],
    ['a failure', 500, undefined, '', 'failed (500)'],
  ])('are refused where the server answers %s', async (_, status, type, body, happened) => {
    answers(status, type, body);
    const { message } = await failureOf(all(sourceOn(stub.url).studyMetadata(study)));
    expect(message).toContain(happened);
    expect(message).not.toMatch(/Doe|1\.2\.3/);
  });

  it('are refused where they are of another series', async () => {
    json(object());
    await failureOf(all(sourceOn(stub.url).seriesMetadata(study, '1.2.3.9')));
  });

  it('are asked for once more where the server breaks off or is busy, and no more', async () => {
    stub.answer = (_request, response) =>
      stub.requests.length === 1 ? void response.destroy() : void response.writeHead(503, { 'retry-after': '0' }).end();
    expect((await failureOf(all(sourceOn(stub.url).studyMetadata(study)))).message).toContain(
      'not available now (503)',
    );
    expect(stub.requests).toHaveLength(2);
  });

  it('DW-4: are never asked for with a UID that is none', () => {
    for (const uid of ['', '../x', '1.2/3', '1..2', '.1', `1.${'2'.repeat(64)}`]) {
      expect(() => sourceOn(stub.url).studyMetadata(uid)).toThrow(RangeError);
    }
    expect(stub.requests).toEqual([]);
  });

  it('are read no further than as many bytes as are allowed', async () => {
    json(...Array.from({ length: 100 }, () => object()));
    const reading = all(sourceOn(stub.url, { metadataBytes: 5_000 }).studyMetadata(study));
    await expect(reading).rejects.toMatchObject({ because: 'image-too-large' });
  });
});

describe('the frames of an object', () => {
  it('DW-11 DW-12: are asked for as they are stored, counted from 1, and are what each part says that it is', async () => {
    answers(
      200,
      related(''),
      multipart(
        part('one', `Content-Type: image/jls; transfer-syntax=${jls}`),
        part('two', 'Content-Type: application/octet-stream'),
      ),
    );
    const found = await all(sourceOn(stub.url).frames(twoFrames));
    expect(found.map(({ bytes, ...frame }) => ({ ...frame, bytes: Buffer.from(bytes).toString() }))).toEqual([
      { frame: 1, transferSyntaxUid: jls, asked: 'stored', bytes: 'one' },
      { frame: 2, transferSyntaxUid: explicitLe, asked: 'stored', bytes: 'two' },
    ]);
    expect(stub.requests[0]).toMatchObject({
      path: '/dicom-web/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5/frames/1,2',
      headers: { accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=*' },
    });
  });

  it('DW-14: are what Orthanc says inside the quotes of the type of the whole', async () => {
    answers(
      200,
      `multipart/related; type="application/octet-stream; transfer-syntax=${jls}"; boundary="b"`,
      multipart(part('one')),
    );
    expect(await all(sourceOn(stub.url).frames(oneFrame))).toMatchObject([{ transferSyntaxUid: jls }]);
  });

  it('DW-14: are taken for what the part says where it contradicts the whole and what was asked for', async () => {
    answers(
      200,
      related(`; transfer-syntax=${explicitLe}`),
      multipart(part('x', `Content-Type: application/octet-stream; transfer-syntax=${jls}`)),
    );
    const found = await all(sourceOn(stub.url).frames({ ...oneFrame, transferSyntax: 'explicit-le' }));
    expect(found).toMatchObject([{ transferSyntaxUid: jls, asked: 'explicit-le' }]);
  });

  it('DW-11: may come without multipart where it is one', async () => {
    answers(200, `application/octet-stream; transfer-syntax=${jls}`, 'pixels');
    expect(await all(sourceOn(stub.url).frames(oneFrame))).toMatchObject([{ frame: 1, transferSyntaxUid: jls }]);
  });

  it.each([400, 406, 415, 500, 501])(
    'DW-12: are asked for uncompressed where the server does not give what is stored (%d)',
    async (status) => {
      stub.answer = (request, response) => {
        if (request.headers.accept?.endsWith('transfer-syntax=*') === true)
          return void response.writeHead(status).end('x'.repeat(100));
        response.writeHead(200, { 'content-type': related('') }).end(multipart(part('one'), part('two')));
      };
      const found = await all(sourceOn(stub.url).frames(twoFrames));
      expect(found).toMatchObject([{ transferSyntaxUid: explicitLe, asked: 'explicit-le' }, { asked: 'explicit-le' }]);
      expect(stub.requests).toHaveLength(2);
    },
  );

  it.each([
    ['decodes it', 200, ['explicit-le', explicitLe]],
    ['does not decode it either', 406, ['stored', '1.2.840.10008.1.2.4.102']],
  ] as const)(
    'are asked for uncompressed where there is no decoder here for what is stored, and the server %s',
    async (_, status, told) => {
      stub.answer = (request, response) => {
        const stored = request.headers.accept?.endsWith('transfer-syntax=*') === true;
        if (!stored && status !== 200) return void response.writeHead(status).end();
        const mpeg4 = 'Content-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.102';
        const octets = stored ? mpeg4 : 'Content-Type: application/octet-stream';
        response
          .writeHead(200, { 'content-type': related('') })
          .end(multipart(part('one', octets), part('two', octets)));
      };
      const found = await all(sourceOn(stub.url).frames(twoFrames));
      expect(found.map(({ asked, transferSyntaxUid }) => [asked, transferSyntaxUid])).toEqual([told, told]);
      expect(stub.requests).toHaveLength(status === 200 ? 2 : 3);
    },
  );

  it('are asked for in several requests where they are many, in the order of their numbers', async () => {
    stub.answer = (request, response) => {
      const numbers = (/frames\/(.*)$/.exec(request.url ?? '')?.[1] ?? '').split(',');
      const parts = numbers.map((number) =>
        part(number, `Content-Type: application/octet-stream\r\nContent-Location: /x/frames/${number}`),
      );
      response.writeHead(200, { 'content-type': related('') }).end(multipart(...parts));
    };
    const frameNumbers = Array.from({ length: 120 }, (_, index) => index * 2 + 1);
    const found = await all(sourceOn(stub.url).frames({ ...twoFrames, frameNumbers }));
    expect(found.map(({ frame }) => frame)).toEqual(frameNumbers);
    expect(found.map(({ bytes }) => Number(Buffer.from(bytes).toString()))).toEqual(frameNumbers);
    expect(stub.requests).toHaveLength(3);
  });

  it.each<[string, string | undefined, Uint8Array | string, string]>([
    ['a page', 'text/html', '<html>Doe</html>', 'answered text/html where 2 parts were asked for'],
    ['nothing that says what it is', undefined, 'x', 'answered no media type'],
    ['one body for two frames', 'application/octet-stream', 'x', 'where 2 parts were asked for'],
    [
      'multipart without a boundary',
      'multipart/related; type="application/octet-stream"',
      multipart(part('x')),
      'without a boundary',
    ],
    ['fewer frames', related(''), multipart(part('one')), 'fewer parts than were asked for'],
    ['more frames', related(''), multipart(part('1'), part('2'), part('3')), 'more parts than were asked for'],
    ['half a part', related(''), multipart(part('one'), part('two')).subarray(0, -12), 'broke off in the middle'],
    ['an empty frame', related(''), multipart(part('one'), part('')), 'an empty part'],
    [
      'a page as a part',
      related(''),
      multipart(part('one'), part('<html>', 'Content-Type: text/html')),
      'a part of text/html',
    ],
    [
      'another frame',
      related(''),
      multipart(part('one', 'Content-Type: image/jls\r\nContent-Location: /frames/2')),
      'another frame',
    ],
    [
      'a syntax that is no UID',
      related(''),
      multipart(part('one', 'Content-Type: application/octet-stream; transfer-syntax=*')),
      'in which transfer syntax',
    ],
    [
      'a JPEG of an unknown kind',
      related(''),
      multipart(part('one', 'Content-Type: image/jpeg')),
      'in which transfer syntax',
    ],
  ])('are refused where the server answers %s', async (_, type, body, happened) => {
    answers(200, type, body);
    const { message } = await failureOf(all(sourceOn(stub.url).frames(twoFrames)));
    expect(message).toContain(happened);
    expect(message).not.toMatch(/Doe|1\.2\.3/);
  });

  it('are refused where they are packed, whatever they would unpack to', async () => {
    stub.answer = (_request, response) =>
      void response.writeHead(200, { 'content-type': related(''), 'content-encoding': 'gzip' }).end('x');
    expect((await failureOf(all(sourceOn(stub.url).frames(oneFrame)))).message).toContain('packed its answer');
  });

  it('are numbered from 1', () => {
    for (const frameNumbers of [[], [0], [1, 1], [2, 1], [1.5]]) {
      expect(() => sourceOn(stub.url).frames({ ...oneFrame, frameNumbers })).toThrow(RangeError);
    }
  });
});

describe('a server that does not end', () => {
  /** Sends so many megabytes, as fast as they are taken, and tells how many were. */
  function floods(megabytes: number, head: string): () => number {
    let sent = 0;
    stub.answer = async (_request, response) => {
      response.writeHead(200, { 'content-type': related('') }).write(head);
      const megabyte = Buffer.alloc(1_000_000, 0x41);
      for (sent = 0; sent < megabytes && !response.destroyed; sent++) {
        if (!response.write(megabyte)) await drained(response);
      }
      response.end();
    };
    return () => sent;
  }

  it('has 5 GB of one frame read no further than is allowed, and never in memory', async () => {
    const sent = floods(5_000, '--b\r\nContent-Type: application/octet-stream\r\n\r\n');
    const before = process.memoryUsage().rss;
    const reading = all(sourceOn(stub.url, { objectBytes: 20_000_000 }).frames(oneFrame));
    await expect(reading).rejects.toThrow(ImageFault);
    await expect(reading).rejects.toMatchObject({ because: 'image-too-large' });
    expect(sent()).toBeLessThan(60);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });

  it('has an endless preamble not read', async () => {
    const sent = floods(5_000, '');
    expect((await failureOf(all(sourceOn(stub.url).frames(oneFrame)))).message).toContain('does not begin with a part');
    expect(sent()).toBeLessThan(20);
  });

  it.each([
    ['never answers', () => undefined],
    [
      'hangs within a part',
      (response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': related('') }).write('--b\r\n\r\nhalf'),
    ],
    ['trickles', (response: ServerResponse) => trickle(response.writeHead(200, { 'content-type': related('') }))],
  ])('is given up where it %s', async (_, does) => {
    stub.answer = (_request, response) => does(response);
    const error = await failureOf(all(sourceOn(stub.url, { timeoutMs: 300 }).frames(oneFrame)));
    expect(error.issues).toEqual([{ code: 'timeout', message: error.message }]);
    expect(error.message).toContain('did not answer completely within 300 ms');
  });

  it('is given up with the reason of whoever does not wait any longer', async () => {
    stub.answer = () => undefined;
    const asker = new AbortController();
    const reading = all(sourceOn(stub.url).studyMetadata(study, asker.signal));
    const late = new PredictionError('DEADLINE_EXCEEDED', 'Late.');
    asker.abort(late);
    await expect(reading).rejects.toBe(late);
  });

  it('breaks off, and that is said', async () => {
    stub.answer = (_request, response) => {
      response
        .writeHead(200, { 'content-type': related(''), 'content-length': 1_000 })
        .write('--b\r\n\r\nhalf', () => response.destroy());
    };
    expect((await failureOf(all(sourceOn(stub.url).frames(oneFrame)))).message).toContain('broke the connection off');
  });

  it('whose answer is left unread waits for nobody: the connection ends', async () => {
    const closed = Promise.withResolvers<void>();
    stub.answer = (_request, response) => {
      response.on('close', () => closed.resolve());
      response
        .writeHead(200, { 'content-type': related('') })
        .write(multipart(part('one'), part('two')).subarray(0, -10));
    };
    for await (const _ of sourceOn(stub.url).frames(twoFrames)) break;
    await closed.promise;
  });
});

describe('a search', () => {
  it('DW-16: goes on page by page until one is empty, however few a server gives at once', async () => {
    const uids = Array.from({ length: 7 }, (_, index) => `1.2.3.${index}`);
    stub.answer = (request, response) => {
      const offset = Number(new URL(request.url ?? '', stub.url).searchParams.get('offset'));
      const page = uids.slice(offset, offset + 3).map((uid) => object({ '00080018': { vr: 'UI', Value: [uid] } }));
      if (page.length === 0) return void response.writeHead(204).end();
      response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(page));
    };
    const found = await all(sourceOn(stub.url).searchInstances(study));
    expect(found.map((dataset) => dataset['00080018']?.Value?.[0])).toEqual(uids);
    expect(stub.requests).toHaveLength(4);
  });

  it('DW-16: is refused where the server does not know pages, for nobody knows what is missing', async () => {
    json(object());
    expect((await failureOf(all(sourceOn(stub.url).searchInstances(study)))).message).toContain(
      'the same object twice',
    );
  });

  it.each([
    ['a number', [12], 12],
    ['a text', ['12 '], 12],
  ])('DW-16: tells how many objects a study has, as %s', async (_, value, count) => {
    json(object({ '00201208': { vr: 'IS', Value: value } }));
    expect(await sourceOn(stub.url).countInstances(study)).toBe(count);
    expect(stub.requests[0]?.path).toBe('/dicom-web/studies?StudyInstanceUID=1.2.3&includefield=00201208');
  });

  it('DW-16: counts the objects where the server does not say how many there are', async () => {
    stub.answer = (request, response) => {
      const empty = request.url?.includes('offset=1') === true;
      response
        .writeHead(200, { 'content-type': 'application/dicom+json' })
        .end(JSON.stringify(empty ? [] : [object()]));
    };
    expect(await sourceOn(stub.url).countInstances(study)).toBe(1);
  });

  it('DW-16: knows a study that is not there, and refuses another one', async () => {
    answers(204, undefined, '');
    expect(await sourceOn(stub.url).countInstances(study)).toBe(0);
    json(object({ '0020000D': { vr: 'UI', Value: ['9'] } }));
    await failureOf(sourceOn(stub.url).countInstances(study));
  });
});

describe('bulk data', () => {
  it('DW-15: are fetched from below the base alone, whatever host a proxy has in front of it', async () => {
    answers(200, related(''), multipart(part('table')));
    const source = sourceOn(stub.url);
    for (const uri of [
      `${stub.url}/dicom-web/bulk/1`,
      'http://internal:8042/dicom-web/bulk/1',
      '/dicom-web/bulk/1',
      'bulk/1',
    ]) {
      expect(Buffer.from(await source.bulkData(uri)).toString()).toBe('table');
    }
    expect(new Set(stub.requests.map(({ path }) => path))).toEqual(new Set(['/dicom-web/bulk/1']));
  });

  it.each([
    'http://elsewhere.example.org/bulk',
    '/admin',
    '/dicom-web/../admin',
    '/dicom-web-2/x',
    'file:///etc/passwd',
    'http://[',
  ])('DW-15: are not asked for at %s', async (uri) => {
    const { message } = await failureOf(sourceOn(stub.url).bulkData(uri));
    expect(message).toContain('not below its base');
    expect(stub.requests).toEqual([]);
  });
});

describe('a whole object', () => {
  const file = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM and so on')]);

  it('DW-13: is the one part of the answer', async () => {
    answers(
      200,
      'multipart/related; type="application/dicom"; boundary=b',
      multipart({ headers: 'Content-Type: application/dicom', bytes: file }),
    );
    expect(Buffer.from(await sourceOn(stub.url).instance(address))).toEqual(file);
    expect(stub.requests[0]?.headers.accept).toBe('multipart/related; type="application/dicom"; transfer-syntax=*');
  });

  it('DW-13: is refused where it is no DICOM file, or not there', async () => {
    answers(200, 'application/dicom', '<html>');
    expect((await failureOf(sourceOn(stub.url).instance(address))).message).toContain('no DICOM file');
    answers(404, undefined, '');
    expect((await failureOf(sourceOn(stub.url).instance(address))).message).toContain('does not have this (404)');
  });
});

describe('objects that are stored', () => {
  const answer = {
    '00081199': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.1'] } }] },
    '00081198': {
      vr: 'SQ',
      Value: [{ '00081155': { vr: 'UI', Value: ['1.2'] }, '00081197': { vr: 'US', Value: [49442] } }],
    },
  };

  it.each([
    ['an object', answer],
    ['an array of one', [answer]],
  ])('are told one by one, in %s', async (_, body) => {
    let sent = '';
    stub.answer = async (request, response) => {
      for await (const chunk of request) sent += chunk;
      response.writeHead(202, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(body));
    };
    const told = await sourceOn(stub.url).store([Buffer.from('first'), Buffer.from('second')]);
    expect(told).toEqual({ stored: ['1.1'], refused: [{ sopInstanceUid: '1.2', reason: 49442 }] });
    const boundary = /boundary=(\S+)$/.exec(stub.requests[0]?.headers['content-type'] ?? '')?.[1];
    const head = (bytes: number) =>
      `--${boundary}\r\nContent-Type: application/dicom\r\nContent-Length: ${bytes}\r\n\r\n`;
    expect(sent).toBe(`\r\n${head(5)}first\r\n${head(6)}second\r\n--${boundary}--\r\n`);
    expect(stub.requests[0]).toMatchObject({ method: 'POST', path: '/dicom-web/studies' });
  });

  it('are not stored where the server does not tell of each, and are not sent twice', async () => {
    json(answer);
    expect((await failureOf(sourceOn(stub.url).store([Buffer.from('x')]))).message).toContain(
      'was sent 1 objects and told of 2',
    );
    stub.requests.splice(0);
    answers(503, undefined, '');
    await failureOf(sourceOn(stub.url).store([Buffer.from('x')]));
    expect(stub.requests).toHaveLength(1);
  });
});

async function drained(response: ServerResponse): Promise<void> {
  const given = new AbortController();
  await Promise.race([
    once(response, 'drain', { signal: given.signal }),
    once(response, 'close', { signal: given.signal }),
  ]).finally(() => given.abort());
}

function trickle(response: ServerResponse): void {
  response.write('--b\r\n\r\n');
  const timer = setInterval(() => response.write('x'), 20);
  response.on('close', () => clearInterval(timer));
}
