import { ImageFault } from '../../image-fault.ts';
import type { HuffmanTable } from './huffman-table.ts';

/** Reads the bits of one interval of a scan: Huffman codes, and the numbers behind them. */
export class EntropyReader {
  readonly #bytes: Uint8Array;
  readonly #bits: number;
  /** The next bit, from the first of the interval. */
  #at = 0;

  /** @param interval bytes between two markers, with the zeros that follow each FF */
  constructor(interval: Uint8Array) {
    const plain = new Uint8Array(interval.length + 4);
    let length = 0;
    for (let at = 0; at < interval.length; at++) {
      plain[length++] = interval[at] as number;
      if (interval[at] === 0xff) at++;
    }
    plain.fill(0xff, length);
    this.#bytes = plain;
    this.#bits = length * 8;
  }

  /** The symbol of the next code. */
  symbol({ lookup }: HuffmanTable): number {
    const found = lookup[this.#peek()] as number;
    if (found === 0) throw new ImageFault('image-damaged', 'The JPEG stream has bits that are no Huffman code');
    this.#skip(found >> 8);
    return found & 0xff;
  }

  /** A number of `size` bits, those that begin with 0 being negative (T.81 F.2.2.1). */
  signed(size: number): number {
    if (size === 0) return 0;
    const raw = this.#peek() >> (16 - size);
    this.#skip(size);
    return raw < 1 << (size - 1) ? raw - (1 << size) + 1 : raw;
  }

  /** @throws ImageFault where more than the padding of the last byte, bits of 1 (T.81 F.1.2.3), is left */
  finish(): void {
    const left = this.#bits - this.#at;
    if (left >= 8 || (left > 0 && this.#peek() >> (16 - left) !== (1 << left) - 1))
      throw new ImageFault(
        'image-damaged',
        'The JPEG stream holds more than its scan needs, so it is not what was written',
      );
  }

  #peek(): number {
    const byte = this.#at >> 3;
    const bytes = this.#bytes;
    const three = ((bytes[byte] as number) << 16) | ((bytes[byte + 1] as number) << 8) | (bytes[byte + 2] as number);
    return (three >> (8 - (this.#at & 7))) & 0xffff;
  }

  #skip(bits: number): void {
    this.#at += bits;
    if (this.#at > this.#bits) throw new ImageFault('image-damaged', 'The JPEG stream ends inside its pixels');
  }
}
