import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multipartParts, type Part } from '../../../src/imaging/dicomweb/multipart-parts.ts';
import { all } from '../../support/stub-image-server.ts';

const limits = {
  partBytes: 1_000,
  tooLarge: () => new Error('too large'),
  broken: (happened: string) => new Error(happened),
};

/** The parts of a body that comes in pieces of so many bytes. */
async function partsOf(body: Buffer, { boundary = 'b', pieces = 7 } = {}): Promise<Part[]> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < body.length; at += pieces) yield body.subarray(at, at + pieces);
  }
  return await all(multipartParts(chunks(), boundary, limits));
}

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('the parts of a multipart answer', () => {
  it('DW-14: are the bytes that were sent, whatever they are and however they come in pieces', async () => {
    const bytes = fc
      .array(
        fc.constantFrom(...['\r', '\n', '\r\n', '--', '--b', '\r\n-', '\r\n--', '\r\n--a', '\0', '\xff', 'x', ' ']),
        { maxLength: 30 },
      )
      .map((pieces) => latin(pieces.join('')));
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 4 }), fc.integer({ min: 1, max: 50 }), async (sent, pieces) => {
        const boundary = 'beyond';
        const body = Buffer.concat([
          ...sent.flatMap((each) => [latin(`--${boundary}\r\nContent-Type: image/jls\r\n\r\n`), each, latin('\r\n')]),
          latin(`--${boundary}--`),
        ]);
        const found = await partsOf(body, { boundary, pieces });
        expect(found.map((part) => Buffer.from(part.bytes))).toEqual(sent);
        expect(found.every((part) => part.type?.essence === 'image/jls')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('DW-14: have each its own headers, or none, and stand between a preamble and an epilogue', async () => {
    const body = latin(
      'preamble\r\n--b \t\r\nCONTENT-type: application/octet-stream;\r\n transfer-syntax=1.2.3\r\nContent-Location: /frames/1\r\n\r\none' +
        '\r\n--b\r\n\r\ntwo\r\n--b--\r\nepilogue',
    );
    const [first, second, ...more] = await partsOf(body);
    expect(first?.type?.parameter('transfer-syntax')).toBe('1.2.3');
    expect(first?.location).toBe('/frames/1');
    expect(second?.type).toBeUndefined();
    expect([first, second].map((part) => Buffer.from(part?.bytes ?? []).toString())).toEqual(['one', 'two']);
    expect(more).toEqual([]);
  });

  it('go on through data that only begin like a delimiter', async () => {
    const found = await partsOf(latin('--b\r\n\r\nx\r\n--bc\r\ny\r\n--b--'));
    expect(found.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['x\r\n--bc\r\ny']);
  });

  it.each([
    ['that breaks off in a part', '--b\r\n\r\nhalf a pa', 'broke off in the middle'],
    ['that breaks off before the closing delimiter', '--b\r\n\r\nx\r\n--b', 'broke off in the middle'],
    ['that breaks off in headers', '--b\r\nContent-Ty', 'broke off in the middle'],
    ['without a delimiter', '<html></html>', 'broke off in the middle'],
    [
      'with a part that is shorter than it announced',
      '--b\r\nContent-Length: 4\r\n\r\nx\r\n--b--',
      'shorter or longer',
    ],
    ['with a part in base64', '--b\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--', 'transfer encoding'],
    ['with endless headers', `--b\r\nX: ${'x'.repeat(20_000)}`, 'headers that are too long'],
    ['with an endless preamble', 'x'.repeat(40_000), 'does not begin with a part'],
    ['with an endless epilogue', `--b--${'x'.repeat(40_000)}`, 'more after its last part'],
    ['with a part that is too large', `--b\r\n\r\n${'x'.repeat(1_100)}`, 'too large'],
  ])('are refused of a body %s', async (_, body, happened) => {
    await expect(partsOf(latin(body), { pieces: 100 })).rejects.toThrow(happened);
  });

  it('are read no further than they are wanted', async () => {
    let ended = false;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield latin('--b\r\n\r\nx\r\n');
      } finally {
        ended = true;
      }
    }
    for await (const _ of multipartParts(chunks(), 'b', limits)) break;
    expect(ended).toBe(true);
  });
});
