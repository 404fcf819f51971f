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

/** What a neighbour that becomes significant adds to the count of a coefficient: 0 to 2, 0 to 2 and 0 to 4 of them. */
const [across, along, diagonal] = [32, 8, 1] as const;
/** Contexts of significance by the count of neighbours, for each kind of band. */
const contextsOf = {
  LL: Uint8Array.from({ length: 128 }, (_, count) => significanceContext(count >> 5, (count >> 3) & 3, count & 7)),
  HL: Uint8Array.from({ length: 128 }, (_, count) => significanceContext((count >> 3) & 3, count >> 5, count & 7)),
  HH: Uint8Array.from({ length: 128 }, (_, count) => diagonalContext((count >> 5) + ((count >> 3) & 3), count & 7)),
} as const;

function significanceContext(beside: number, above: number, corners: number): number {
  if (beside === 2) return 8;
  if (beside === 1) return above >= 1 ? 7 : corners >= 1 ? 6 : 5;
  return above > 0 ? above + 2 : Math.min(2, corners);
}

function diagonalContext(beside: number, corners: number): number {
  if (corners >= 3) return 8;
  if (corners === 2) return beside >= 1 ? 7 : 6;
  return corners === 1 ? 3 + Math.min(2, beside) : Math.min(2, beside);
}

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
  /** Of each coefficient, which neighbours are significant. */
  readonly #neighbours: Uint8Array;
  readonly #contexts: Uint8Array;
  #symbols = true;

  constructor(block: CodeBlock) {
    this.#block = block;
    this.#decoder = new ArithmeticDecoder(block.bytes);
    this.#stride = block.width + 2;
    this.#flags = new Uint8Array(this.#stride * (block.height + 2));
    this.#neighbours = new Uint8Array(this.#flags.length);
    this.#contexts = contextsOf[block.band === 'LH' ? 'LL' : block.band];
  }

  /** @param kind 0 significance propagation, 1 refinement, 2 cleanup */
  pass(kind: number): void {
    const { width, height, style } = this.#block;
    if (style.resets) this.#decoder.resetContexts();
    for (let top = 0; top < height; top += 4) {
      const rows = Math.min(4, height - top);
      const first = (top + 1) * this.#stride + 1;
      for (let at = first; at < first + width; at++) {
        if (kind === 0) this.#propagate(at, rows);
        else if (kind === 1) this.#refine(at, rows);
        else this.#cleanUp(at, rows);
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
    const flags = this.#flags;
    for (let row = 0, at = first; row < rows; row++, at += this.#stride) {
      const neighbours = this.#neighbours[at] as number;
      if (neighbours === 0 || ((flags[at] as number) & significant) !== 0) continue;
      if (this.#decoder.bit(this.#contexts[neighbours] as number) === 1) this.#becomeSignificant(at, row);
      flags[at] = (flags[at] as number) | seen;
    }
  }

  #refine(first: number, rows: number): void {
    const flags = this.#flags;
    for (let row = 0, at = first; row < rows; row++, at += this.#stride) {
      const known = flags[at] as number;
      if ((known & (significant | seen)) !== significant) continue;
      const alone = this.#neighbours[at] === 0 ? 0 : 1;
      this.#decoder.bit(contexts.refinement + ((known & refined) !== 0 ? 2 : alone));
      flags[at] = known | refined;
    }
  }

  #cleanUp(first: number, rows: number): void {
    const flags = this.#flags;
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
      if (((flags[at] as number) & (significant | seen)) !== 0) continue;
      if (this.#decoder.bit(this.#contexts[this.#neighbours[at] as number] as number) === 1)
        this.#becomeSignificant(at, row);
    }
  }

  /** Four coefficients of a column are coded as one where none is known and none has a neighbour that is significant. */
  #runs(first: number): boolean {
    const [flags, neighbours, stride] = [this.#flags, this.#neighbours, this.#stride];
    for (let row = 0, at = first; row < 4; row++, at += stride)
      if (neighbours[at] !== 0 || ((flags[at] as number) & (significant | seen)) !== 0) return false;
    return true;
  }

  #becomeSignificant(at: number, row: number): void {
    const [neighbours, stride] = [this.#neighbours, this.#stride];
    const below = this.#block.style.causal && row === 3 ? 0 : this.#signAt(at + stride);
    const horizontal = Math.sign(this.#signAt(at - 1) + this.#signAt(at + 1));
    const vertical = Math.sign(this.#signAt(at - stride) + below);
    const index = (horizontal + 1) * 3 + vertical + 1;
    // The first four of nine are coded as their opposite.
    const bit = this.#decoder.bit(signCoding[index] as number) ^ (index < 4 ? 1 : 0);
    this.#flags[at] = (this.#flags[at] as number) | significant | (bit === 1 ? negative : 0);
    const add = (to: number, what: number): void => {
      neighbours[to] = (neighbours[to] as number) + what;
    };
    add(at - 1, across);
    add(at + 1, across);
    add(at + stride, along);
    add(at + stride - 1, diagonal);
    add(at + stride + 1, diagonal);
    // The stripe above does not see this one where it is causal.
    if (this.#block.style.causal && row === 0) return;
    add(at - stride, along);
    add(at - stride - 1, diagonal);
    add(at - stride + 1, diagonal);
  }

  #signAt(at: number): number {
    const flags = this.#flags[at] as number;
    return (flags & significant) === 0 ? 0 : (flags & negative) === 0 ? 1 : -1;
  }
}
