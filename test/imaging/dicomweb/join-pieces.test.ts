import { describe, expect, it } from 'vitest';
import { joinPieces } from '../../../src/imaging/dicomweb/join-pieces.ts';

describe('the pieces of an object', () => {
  it('become one in their order, in memory that is nobody else’s, and are let go', async () => {
    const pieces = [Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3), new Uint8Array(5_000_000).fill(4)];
    const joined = await joinPieces(pieces, 5_000_003);
    expect(Buffer.compare(joined, Buffer.concat([Buffer.of(1, 2, 3), Buffer.alloc(5_000_000, 4)]))).toBe(0);
    expect(joined.byteLength).toBe(joined.buffer.byteLength);
    expect(pieces).toEqual([]);
    expect(await joinPieces([], 0)).toHaveLength(0);
  });

  it('leave the event loop free for others meanwhile, however many there are', async () => {
    const pieces = Array.from({ length: 640 }, () => new Uint8Array(65_536));
    let turns = 0;
    let joining = true;
    const others = (): void => {
      turns += 1;
      if (joining) setImmediate(others);
    };
    setImmediate(others);
    await joinPieces(pieces, 640 * 65_536);
    joining = false;
    expect(turns).toBeGreaterThanOrEqual(19);
  });
});
