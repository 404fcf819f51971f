import type { PacketBits } from './packet-bits.ts';

interface Node {
  readonly parent: Node | undefined;
  value: number;
  low: number;
}

/** A tree of minima (T.800 B.10.2), which states for each code-block when it is first there and how many planes are zero. */
export class TagTree {
  readonly #leaves: readonly Node[];

  constructor(width: number, height: number) {
    const levels: [number, number][] = [[width, height]];
    for (let [across, down] = [width, height]; across > 1 || down > 1; levels.push([across, down])) {
      across = Math.ceil(across / 2);
      down = Math.ceil(down / 2);
    }
    let above: Node[] = [];
    let acrossAbove = 0;
    for (const [across, down] of levels.reverse()) {
      const parents = above;
      const parentsAcross = acrossAbove;
      above = Array.from({ length: across * down }, (_, at) => ({
        parent: parents[(Math.floor(at / across) >> 1) * parentsAcross + ((at % across) >> 1)],
        value: Number.POSITIVE_INFINITY,
        low: 0,
      }));
      acrossAbove = across;
    }
    this.#leaves = above;
  }

  /** True where the value of a leaf is less than the threshold, as far as the bits tell. */
  isLess(leaf: number, { threshold, bits }: { threshold: number; bits: PacketBits }): boolean {
    const way: Node[] = [];
    for (let node = this.#leaves[leaf]; node !== undefined; node = node.parent) way.push(node);
    let low = 0;
    for (const node of way.reverse()) {
      low = Math.max(low, node.low);
      while (low < threshold && low < node.value) {
        if (bits.bit() === 1) node.value = low;
        else low++;
      }
      node.low = low;
    }
    return (way.at(-1) as Node).value < threshold;
  }
}
