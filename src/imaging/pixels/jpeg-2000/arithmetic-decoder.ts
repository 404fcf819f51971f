/** Probability states of the MQ coder (T.800 table C.2): Qe, the next state after an MPS, after an LPS, and whether it switches. */
const states: readonly (readonly [number, number, number, 0 | 1])[] = [
  [0x5601, 1, 1, 1],
  [0x3401, 2, 6, 0],
  [0x1801, 3, 9, 0],
  [0x0ac1, 4, 12, 0],
  [0x0521, 5, 29, 0],
  [0x0221, 38, 33, 0],
  [0x5601, 7, 6, 1],
  [0x5401, 8, 14, 0],
  [0x4801, 9, 14, 0],
  [0x3801, 10, 14, 0],
  [0x3001, 11, 17, 0],
  [0x2401, 12, 18, 0],
  [0x1c01, 13, 20, 0],
  [0x1601, 29, 21, 0],
  [0x5601, 15, 14, 1],
  [0x5401, 16, 14, 0],
  [0x5101, 17, 15, 0],
  [0x4801, 18, 16, 0],
  [0x3801, 19, 17, 0],
  [0x3401, 20, 18, 0],
  [0x3001, 21, 19, 0],
  [0x2801, 22, 19, 0],
  [0x2401, 23, 20, 0],
  [0x2201, 24, 21, 0],
  [0x1c01, 25, 22, 0],
  [0x1801, 26, 23, 0],
  [0x1601, 27, 24, 0],
  [0x1401, 28, 25, 0],
  [0x1201, 29, 26, 0],
  [0x1101, 30, 27, 0],
  [0x0ac1, 31, 28, 0],
  [0x09c1, 32, 29, 0],
  [0x08a1, 33, 30, 0],
  [0x0521, 34, 31, 0],
  [0x0441, 35, 32, 0],
  [0x02a1, 36, 33, 0],
  [0x0221, 37, 34, 0],
  [0x0141, 38, 35, 0],
  [0x0111, 39, 36, 0],
  [0x0085, 40, 37, 0],
  [0x0049, 41, 38, 0],
  [0x0025, 42, 39, 0],
  [0x0015, 43, 40, 0],
  [0x0009, 44, 41, 0],
  [0x0005, 45, 42, 0],
  [0x0001, 45, 43, 0],
  [0x5601, 46, 46, 0],
];
const qe = Uint16Array.from(states, ([each]) => each);
const afterMore = Uint8Array.from(states, ([, each]) => each);
const afterLess = Uint8Array.from(states, ([, , each]) => each);
const switches = Uint8Array.from(states, ([, , , each]) => each);

/** Contexts of a code-block: 9 of significance, 5 of signs, 3 of refinement, the run and the uniform one (T.800 table D.7). */
export const contexts = { sign: 9, refinement: 14, run: 17, uniform: 18 } as const;

/** Decodes decisions by their contexts (T.800 annex C), and knows how much of its bytes they took. */
export class ArithmeticDecoder {
  readonly #bytes: Uint8Array;
  readonly #length: number;
  readonly #state = new Uint8Array(19);
  readonly #more = new Uint8Array(19);
  #at = 0;
  #code = 0;
  #interval = 0x8000;
  #left = 0;
  #beyond = 0;

  constructor(bytes: Uint8Array) {
    this.#length = bytes.length;
    this.#bytes = new Uint8Array(bytes.length + 2).fill(0xff);
    this.#bytes.set(bytes);
    this.resetContexts();
    this.#code = (this.#bytes[0] as number) << 16;
    this.#byteIn();
    this.#code <<= 7;
    this.#left -= 7;
  }

  resetContexts(): void {
    this.#state.fill(0);
    this.#more.fill(0);
    this.#state[0] = 4;
    this.#state[contexts.run] = 3;
    this.#state[contexts.uniform] = 46;
  }

  /** Bytes that no decision took. */
  get unused(): number {
    return Math.max(0, this.#length - 1 - this.#at);
  }

  /** Bytes that decisions took beyond the end. */
  get beyond(): number {
    return this.#beyond;
  }

  bit(context: number): number {
    const state = this.#state[context] as number;
    const estimate = qe[state] as number;
    let decision = this.#more[context] as number;
    this.#interval -= estimate;
    const lower = this.#code >>> 16 < estimate;
    if (!lower) {
      this.#code = (this.#code - (estimate << 16)) | 0;
      if ((this.#interval & 0x8000) !== 0) return decision;
    }
    const exchanged = this.#interval < estimate;
    if (lower) this.#interval = estimate;
    if (lower === exchanged) this.#state[context] = afterMore[state] as number;
    else {
      if (switches[state] === 1) this.#more[context] = 1 - decision;
      this.#state[context] = afterLess[state] as number;
      decision = 1 - decision;
    }
    // Renormalise: as many shifts at once as there are bits left.
    while ((this.#interval & 0x8000) === 0) {
      if (this.#left === 0) this.#byteIn();
      const shift = Math.min(this.#left, Math.clz32(this.#interval) - 16);
      this.#interval <<= shift;
      this.#code <<= shift;
      this.#left -= shift;
    }
    return decision;
  }

  #byteIn(): void {
    const bytes = this.#bytes;
    if (bytes[this.#at] === 0xff) {
      if ((bytes[this.#at + 1] as number) > 0x8f) {
        this.#code += 0xff00;
        this.#left = 8;
        this.#beyond++;
      } else {
        this.#at++;
        this.#code += (bytes[this.#at] as number) << 9;
        this.#left = 7;
      }
    } else {
      this.#at++;
      this.#code += (bytes[this.#at] as number) << 8;
      this.#left = 8;
    }
  }
}
