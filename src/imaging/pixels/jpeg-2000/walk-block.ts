import { ArithmeticDecoder, contexts } from './arithmetic-decoder.ts';

/** A code-block as its packets give it. */
export interface CodeBlock {
  readonly width: number;
  readonly height: number;
  /** Which neighbours count in the contexts of significance (T.800 table D.1). */
  readonly band: 'LL' | 'HL' | 'LH' | 'HH';
  readonly passes: number;
  readonly bytes: Uint8Array;
  readonly style: { readonly resets: boolean; readonly causal: boolean; readonly symbols: boolean };
}

/** How the decisions of a block and its bytes fit. */
export interface BlockFit {
  readonly unused: number;
  readonly beyond: number;
  /** False where the symbol at the end of a cleanup pass is not the one that is always written. */
  readonly symbols: boolean;
}

const significanceOf = { LL: 0, LH: 0, HL: 1, HH: 2 } as const;
/** Contexts of significance by the kind of band, then horizontal, vertical and diagonal neighbours that are significant. */
const zeroCoding = Uint8Array.from({ length: 3 * 45 }, (_, at) => {
  const kind = Math.floor(at / 45);
  const [a, b, diagonal] = [Math.floor((at % 45) / 15), Math.floor((at % 15) / 5), at % 5] as const;
  if (kind === 2) {
    const beside = a + b;
    if (diagonal >= 3) return 8;
    if (diagonal === 2) return beside >= 1 ? 7 : 6;
    if (diagonal === 1) return 3 + Math.min(2, beside);
    return Math.min(2, beside);
  }
  const [across, along] = kind === 0 ? [a, b] : [b, a];
  if (across === 2) return 8;
  if (across === 1) return along >= 1 ? 7 : diagonal >= 1 ? 6 : 5;
  if (along > 0) return along + 2;
  return Math.min(2, diagonal);
});
/** Contexts of signs and what they are exchanged with, by horizontal and vertical contribution of -1 to 1 (table D.3). */
const signCoding = [13, 12, 11, 10, 9, 10, 11, 12, 13] as const;

/** Significance, its sign, first refinement past, and seen in this bit-plane. */
const [significant, negative, refined, seen] = [1, 2, 4, 8] as const;

/**
 * Walks the coding passes of a block (T.800 annex D) to find whether they take the bytes that it has. Which values come
 * out does not matter: every row of bytes is some image to an arithmetic decoder, but only the one that was written
 * ends where it was ended.
 */
export function walkBlock(block: CodeBlock): BlockFit {
  const walk = new BlockWalk(block);
  for (let pass = 0; pass < block.passes; pass++) walk.pass((pass + 2) % 3);
  return walk.fit();
}

class BlockWalk {
  readonly #block: CodeBlock;
  readonly #decoder: ArithmeticDecoder;
  readonly #stride: number;
  readonly #flags: Uint8Array;
  readonly #contextsFrom: number;
  #symbols = true;

  constructor(block: CodeBlock) {
    this.#block = block;
    this.#decoder = new ArithmeticDecoder(block.bytes);
    this.#stride = block.width + 2;
    this.#flags = new Uint8Array(this.#stride * (block.height + 2));
    this.#contextsFrom = significanceOf[block.band] * 45;
  }

  /** @param kind 0 significance propagation, 1 refinement, 2 cleanup */
  pass(kind: number): void {
    const { width, height, style } = this.#block;
    if (style.resets) this.#decoder.resetContexts();
    for (let top = 0; top < height; top += 4) {
      const rows = Math.min(4, height - top);
      for (let column = 0; column < width; column++) {
        const first = (top + 1) * this.#stride + column + 1;
        if (kind === 0) this.#propagate(first, rows);
        else if (kind === 1) this.#refine(first, rows);
        else this.#cleanUp(first, rows);
      }
    }
    if (kind !== 2) return;
    if (style.symbols) {
      const symbol = [8, 4, 2, 1].reduce((sum, weight) => sum + weight * this.#decoder.bit(contexts.uniform), 0);
      this.#symbols &&= symbol === 10;
    }
    const flags = this.#flags;
    for (let at = 0; at < flags.length; at++) flags[at] = (flags[at] as number) & ~seen;
  }

  fit(): BlockFit {
    return { unused: this.#decoder.unused, beyond: this.#decoder.beyond, symbols: this.#symbols };
  }

  #propagate(first: number, rows: number): void {
    for (let row = 0, at = first; row < rows; row++, at += this.#stride) {
      if (((this.#flags[at] as number) & significant) !== 0) continue;
      const context = this.#significance(at, row);
      if (context === 0) continue;
      if (this.#decoder.bit(context) === 1) this.#becomeSignificant(at, row);
      this.#flags[at] = (this.#flags[at] as number) | seen;
    }
  }

  #refine(first: number, rows: number): void {
    for (let row = 0, at = first; row < rows; row++, at += this.#stride) {
      const flags = this.#flags[at] as number;
      if ((flags & (significant | seen)) !== significant) continue;
      const alone = (flags & refined) === 0 && this.#significance(at, row) === 0;
      this.#decoder.bit((flags & refined) !== 0 ? contexts.refinement + 2 : contexts.refinement + (alone ? 0 : 1));
      this.#flags[at] = flags | refined;
    }
  }

  #cleanUp(first: number, rows: number): void {
    let row = 0;
    let at = first;
    if (rows === 4 && this.#runs(first)) {
      if (this.#decoder.bit(contexts.run) === 0) return;
      row = this.#decoder.bit(contexts.uniform) * 2;
      row += this.#decoder.bit(contexts.uniform);
      at += row * this.#stride;
      this.#becomeSignificant(at, row);
      row++;
      at += this.#stride;
    }
    for (; row < rows; row++, at += this.#stride) {
      if (((this.#flags[at] as number) & (significant | seen)) !== 0) continue;
      if (this.#decoder.bit(this.#significance(at, row)) === 1) this.#becomeSignificant(at, row);
    }
  }

  /** Four coefficients of a column are coded as one where none is known and none has a neighbour that is significant. */
  #runs(first: number): boolean {
    for (let row = 0, at = first; row < 4; row++, at += this.#stride)
      if (((this.#flags[at] as number) & (significant | seen)) !== 0 || this.#significance(at, row) !== 0) return false;
    return true;
  }

  /** The flags below, which a causal block does not see across its stripe. */
  #below(at: number, row: number): number {
    return this.#block.style.causal && row === 3 ? -1 : at + this.#stride;
  }

  #significance(at: number, row: number): number {
    const flags = this.#flags;
    const above = at - this.#stride;
    const below = this.#below(at, row);
    const across = ((flags[at - 1] as number) & 1) + ((flags[at + 1] as number) & 1);
    let along = (flags[above] as number) & 1;
    let diagonal = ((flags[above - 1] as number) & 1) + ((flags[above + 1] as number) & 1);
    if (below >= 0) {
      along += (flags[below] as number) & 1;
      diagonal += ((flags[below - 1] as number) & 1) + ((flags[below + 1] as number) & 1);
    }
    return zeroCoding[this.#contextsFrom + across * 15 + along * 5 + diagonal] as number;
  }

  #becomeSignificant(at: number, row: number): void {
    const below = this.#below(at, row);
    const across = Math.sign(this.#signAt(at - 1) + this.#signAt(at + 1));
    const along = Math.sign(this.#signAt(at - this.#stride) + (below < 0 ? 0 : this.#signAt(below)));
    const index = (across + 1) * 3 + along + 1;
    const exchanged = index < 4 ? 1 : 0;
    const bit = this.#decoder.bit(signCoding[index] as number) ^ exchanged;
    this.#flags[at] = (this.#flags[at] as number) | significant | (bit === 1 ? negative : 0);
  }

  #signAt(at: number): number {
    const flags = this.#flags[at] as number;
    return (flags & significant) === 0 ? 0 : (flags & negative) === 0 ? 1 : -1;
  }
}
