import { ImageFault } from '../../image-fault.ts';

/** Codes of up to 16 bits, looked up by the 16 bits that come next. */
export interface HuffmanTable {
  /** By the next 16 bits: length of the code × 256 + its symbol; 0 where no code begins so. */
  readonly lookup: Uint16Array;
}

/**
 * Builds a table from the number of codes of each length and their symbols (T.81 annex C).
 * @throws ImageFault `image-damaged` where there are more codes than fit
 */
export function makeHuffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const lookup = new Uint16Array(65_536);
  let code = 0;
  let next = 0;
  counts.forEach((count, index) => {
    const length = index + 1;
    for (let nth = 0; nth < count; nth++) {
      const first = code << (16 - length);
      if (first + (1 << (16 - length)) > 65_536)
        throw new ImageFault('image-damaged', 'The JPEG stream has a Huffman table of more codes than there can be');
      lookup.fill(length * 256 + (symbols[next++] as number), first, first + (1 << (16 - length)));
      code++;
    }
    code <<= 1;
  });
  return { lookup };
}
