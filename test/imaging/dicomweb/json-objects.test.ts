import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonObjects } from '../../../src/imaging/dicomweb/json-objects.ts';
import { all } from '../../support/stub-image-server.ts';

const limits = {
  bytes: 10_000,
  tooLarge: () => new Error('too large'),
  broken: (happened: string) => new Error(happened),
};

async function objectsOf(text: string, pieces = 3): Promise<unknown[]> {
  const body = Buffer.from(text, 'utf8');
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < body.length; at += pieces) yield body.subarray(at, at + pieces);
  }
  return await all(jsonObjects(chunks(), limits));
}

describe('the objects of a JSON array', () => {
  it('DW-10: are those that JSON.parse finds, however they come in pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), { maxLength: 5 }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.integer({ min: 1, max: 40 }),
        async (objects, indent, pieces) => {
          const text = JSON.stringify(objects, undefined, indent);
          expect(await objectsOf(text.length > 9_000 ? '[]' : text, pieces)).toEqual(
            text.length > 9_000 ? [] : JSON.parse(text),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('DW-16: are none in an empty body, and none in an empty array', async () => {
    expect(await objectsOf('')).toEqual([]);
    expect(await objectsOf(' [ ] \r\n')).toEqual([]);
  });

  it.each([
    ['<html><body>Login</body></html>', 'no array of objects'],
    ['{"00080018": {}}', 'no array of objects'],
    ['[1, 2]', 'no array of objects'],
    ['["{}"]', 'no array of objects'],
    ['[{},]', 'no array of objects'],
    ['[,{}]', 'no array of objects'],
    ['[{}{}]', 'no array of objects'],
    ['[{},,{}]', 'no array of objects'],
    ['[] []', 'no array of objects'],
    ['[{}', 'breaks off'],
    ['[{"a":', 'breaks off'],
    [' ', 'breaks off'],
    ['[{"a": tru}]', 'is broken'],
    ['[{"a": [}]', 'is broken'],
  ])('are refused of %s', async (text, happened) => {
    await expect(objectsOf(text)).rejects.toThrow(happened);
  });

  it('are read no further than as many bytes as are allowed', async () => {
    await expect(objectsOf(`[${'{},'.repeat(4_000)}{}]`)).rejects.toThrow('too large');
  });

  it('are refused where they are not UTF-8', async () => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('[{"a":"\xff"}]', 'latin1');
    }
    await expect(all(jsonObjects(chunks(), limits))).rejects.toThrow('is broken');
  });
});
