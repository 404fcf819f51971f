import { ImageFault } from '../../image-fault.ts';

/** Reads the bits of packet headers: after a byte of FF the next has seven (T.800 B.10.1). */
export class PacketBits {
  readonly #bytes: Uint8Array;
  #at: number;
  #byte = 0;
  #left = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  bit(): number {
    if (this.#left === 0) {
      const after = this.#byte;
      const next = this.#bytes[this.#at++];
      if (next === undefined || (after === 0xff && next > 0x7f))
        throw new ImageFault('image-damaged', 'The JPEG 2000 codestream has a packet header that is not whole');
      this.#byte = next;
      this.#left = after === 0xff ? 7 : 8;
    }
    this.#left--;
    return (this.#byte >> this.#left) & 1;
  }

  number(bits: number): number {
    let value = 0;
    for (let nth = 0; nth < bits; nth++) value = value * 2 + this.bit();
    return value;
  }

  /** Where the byte behind the header is. */
  end(): number {
    if (this.#byte === 0xff) this.#at++;
    return this.#at;
  }
}
