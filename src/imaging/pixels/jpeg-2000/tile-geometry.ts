import { TagTree } from './tag-tree.ts';

/** The corners of a rectangle; right and bottom lie outside of it. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** How a tile is divided (T.800 A.6.1). */
export interface CodingStyle {
  readonly levels: number;
  readonly layers: number;
  readonly progression: number;
  /** Exponents of the size of a code-block. */
  readonly blockAcross: number;
  readonly blockDown: number;
  /** Exponents of the size of a precinct, from the smallest resolution. */
  readonly precincts: readonly (readonly [across: number, down: number])[];
}

/** A code-block while its packets are read. */
export interface OpenBlock {
  readonly width: number;
  readonly height: number;
  readonly band: 'LL' | 'HL' | 'LH' | 'HH';
  included: boolean;
  passes: number;
  /** Bits of the lengths. */
  lengthBits: number;
  /** Bytes of its first passes that share a length. */
  firstLength: number;
  readonly parts: Uint8Array[];
}

/** The blocks of one band in a precinct. */
export interface BandBlocks {
  readonly blocks: readonly OpenBlock[];
  readonly inclusion: TagTree;
  readonly zeroPlanes: TagTree;
}

/** A precinct of one component and resolution; it has a packet for each layer. */
export interface Precinct {
  readonly component: number;
  readonly resolution: number;
  readonly index: number;
  /** Its first sample on the grid of the image. */
  readonly x: number;
  readonly y: number;
  readonly bands: readonly BandBlocks[];
}

/** How many precincts a tile has, without making one. */
export function countPrecincts(tile: Area, { style, components }: { style: CodingStyle; components: number }): number {
  return style.precincts.reduce((sum, _, resolution) => {
    const { across, down } = gridOf(tile, { style, resolution });
    return sum + across * down * components;
  }, 0);
}

/** The precincts of a tile by component, resolution and index, with their blocks (T.800 B.5 to B.7). */
export function precinctsOf(tile: Area, { style, components }: { style: CodingStyle; components: number }): Precinct[] {
  return Array.from({ length: components }, (_, component) =>
    style.precincts.flatMap(([stepAcross, stepDown], resolution) => {
      const grid = gridOf(tile, { style, resolution });
      const scale = 2 ** (style.levels - resolution);
      return Array.from({ length: grid.across * grid.down }, (_precinct, index): Precinct => {
        const [column, row] = [grid.left + (index % grid.across), grid.top + Math.floor(index / grid.across)];
        return {
          component,
          resolution,
          index,
          x: Math.max(tile.left, column * 2 ** stepAcross * scale),
          y: Math.max(tile.top, row * 2 ** stepDown * scale),
          bands: bandsOf(tile, { style, resolution, column, row }),
        };
      });
    }),
  ).flat();
}

function gridOf(
  tile: Area,
  { style, resolution }: { style: CodingStyle; resolution: number },
): { left: number; top: number; across: number; down: number } {
  const scale = 2 ** (style.levels - resolution);
  const [stepAcross, stepDown] = (style.precincts[resolution] ?? [15, 15]).map((exponent) => 2 ** exponent) as [
    number,
    number,
  ];
  const area = scaled(tile, { scale, shiftAcross: 0, shiftDown: 0 });
  if (area.right <= area.left || area.bottom <= area.top) return { left: 0, top: 0, across: 0, down: 0 };
  const [left, top] = [Math.floor(area.left / stepAcross), Math.floor(area.top / stepDown)];
  return {
    left,
    top,
    across: Math.ceil(area.right / stepAcross) - left,
    down: Math.ceil(area.bottom / stepDown) - top,
  };
}

/** T.800 B-15: a band takes each `scale`th sample, from the shifted first. */
function scaled(
  tile: Area,
  { scale, shiftAcross, shiftDown }: { scale: number; shiftAcross: number; shiftDown: number },
): Area {
  return {
    left: Math.ceil((tile.left - shiftAcross) / scale),
    top: Math.ceil((tile.top - shiftDown) / scale),
    right: Math.ceil((tile.right - shiftAcross) / scale),
    bottom: Math.ceil((tile.bottom - shiftDown) / scale),
  };
}

function bandsOf(
  tile: Area,
  { style, resolution, column, row }: { style: CodingStyle; resolution: number; column: number; row: number },
): BandBlocks[] {
  const level = resolution === 0 ? style.levels : style.levels - resolution + 1;
  const half = 2 ** (level - 1);
  const smaller = resolution === 0 ? 0 : 1;
  const [across, down] = style.precincts[resolution] as readonly [number, number];
  const [precinctAcross, precinctDown] = [across - smaller, down - smaller];
  const kinds = resolution === 0 ? (['LL'] as const) : (['HL', 'LH', 'HH'] as const);
  return kinds.map((band) => {
    const high = { HL: [1, 0], LH: [0, 1], HH: [1, 1], LL: [0, 0] }[band] as [number, number];
    const whole = scaled(tile, { scale: 2 ** level, shiftAcross: high[0] * half, shiftDown: high[1] * half });
    const area: Area = {
      left: Math.max(whole.left, column * 2 ** precinctAcross),
      top: Math.max(whole.top, row * 2 ** precinctDown),
      right: Math.min(whole.right, (column + 1) * 2 ** precinctAcross),
      bottom: Math.min(whole.bottom, (row + 1) * 2 ** precinctDown),
    };
    return blocksOf(area, {
      band,
      across: 2 ** Math.min(style.blockAcross, precinctAcross),
      down: 2 ** Math.min(style.blockDown, precinctDown),
    });
  });
}

function blocksOf(
  area: Area,
  { band, across, down }: { band: OpenBlock['band']; across: number; down: number },
): BandBlocks {
  if (area.right <= area.left || area.bottom <= area.top)
    return { blocks: [], inclusion: new TagTree(0, 0), zeroPlanes: new TagTree(0, 0) };
  const [left, top] = [Math.floor(area.left / across), Math.floor(area.top / down)];
  const columns = Math.ceil(area.right / across) - left;
  const rows = Math.ceil(area.bottom / down) - top;
  const blocks = Array.from({ length: columns * rows }, (_, index): OpenBlock => {
    const [column, row] = [left + (index % columns), top + Math.floor(index / columns)];
    return {
      width: Math.min(area.right, (column + 1) * across) - Math.max(area.left, column * across),
      height: Math.min(area.bottom, (row + 1) * down) - Math.max(area.top, row * down),
      band,
      included: false,
      passes: 0,
      lengthBits: 3,
      firstLength: 0,
      parts: [],
    };
  });
  return { blocks, inclusion: new TagTree(columns, rows), zeroPlanes: new TagTree(columns, rows) };
}
