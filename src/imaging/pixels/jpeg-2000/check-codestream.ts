import { ImageFault } from '../../image-fault.ts';
import { type PacketStyle, readPackets } from './read-packets.ts';
import { type Area, countPrecincts, type OpenBlock, precinctsOf } from './tile-geometry.ts';
import { walkBlock } from './walk-block.ts';

/** A codestream of which the main header and the tile-parts are known. */
export interface CodestreamParts {
  readonly image: Area;
  readonly tileSize: { readonly across: number; readonly down: number; readonly left: number; readonly top: number };
  readonly components: number;
  /** The segment COD from its Scod (T.800 A.6.1). */
  readonly coding: Uint8Array;
  /** The bodies of each tile's parts, one behind the other. */
  readonly tiles: ReadonlyMap<number, Uint8Array>;
}

/** Bytes that encoders leave at the end of a block that no decision takes, or that decisions take beyond it. */
const slack = { unused: 6, beyond: 6 } as const;

/**
 * Finds damage that decoders of JPEG 2000 do not: packets must take exactly the bytes of their tile, and the decisions
 * of each block those of the block.
 * @throws ImageFault `image-damaged` where they do not
 */
export function checkCodestream(parts: CodestreamParts): void {
  const style = styleOf(parts.coding);
  const across = Math.ceil((parts.image.right - parts.tileSize.left) / parts.tileSize.across);
  for (const [index, bytes] of parts.tiles) {
    const left = parts.tileSize.left + (index % across) * parts.tileSize.across;
    const top = parts.tileSize.top + Math.floor(index / across) * parts.tileSize.down;
    const tile: Area = {
      left: Math.max(left, parts.image.left),
      top: Math.max(top, parts.image.top),
      right: Math.min(left + parts.tileSize.across, parts.image.right),
      bottom: Math.min(top + parts.tileSize.down, parts.image.bottom),
    };
    const division = { style, components: parts.components };
    // Each packet has a byte at least, so there are no more of them than bytes; this bounds what is made here.
    if (countPrecincts(tile, division) * style.layers > bytes.length)
      throw damaged('has fewer bytes in a tile than it has packets');
    const precincts = precinctsOf(tile, division);
    readPackets(bytes, { precincts, style });
    if (style.endsEachPass || style.bypasses) continue;
    for (const { bands } of precincts)
      for (const { blocks } of bands) for (const block of blocks) checkBlock(block, style);
  }
}

interface Style extends PacketStyle {
  readonly block: { readonly resets: boolean; readonly causal: boolean; readonly symbols: boolean };
}

function styleOf(coding: Uint8Array): Style {
  const [flags, progression, layersHigh, layersLow, , levels, blockAcross, blockDown, block] =
    coding as unknown as number[];
  if (flags === undefined || levels === undefined || block === undefined || levels > 32)
    throw damaged('has a segment COD that is not whole');
  const sizes = coding.subarray(10, 11 + levels);
  if ((flags & 1) === 1 && sizes.length !== levels + 1) throw damaged('has a segment COD that is not whole');
  const precincts = Array.from({ length: levels + 1 }, (_, resolution): readonly [number, number] => {
    const size = (flags & 1) === 1 ? (sizes[resolution] as number) : 0xff;
    return [size & 15, size >> 4];
  });
  if (precincts.some(([wide, high], resolution) => resolution > 0 && (wide === 0 || high === 0)))
    throw damaged('has precincts of an impossible size');
  return {
    levels,
    layers: (layersHigh as number) * 256 + (layersLow as number),
    progression: progression as number,
    blockAcross: (blockAcross as number) + 2,
    blockDown: (blockDown as number) + 2,
    precincts,
    marksStart: (flags & 2) !== 0,
    marksEnd: (flags & 4) !== 0,
    bypasses: (block & 1) !== 0,
    endsEachPass: (block & 4) !== 0,
    highThroughput: (block & 64) !== 0,
    block: { resets: (block & 2) !== 0, causal: (block & 8) !== 0, symbols: (block & 32) !== 0 },
  };
}

function checkBlock(
  { width, height, band, passes, firstLength, parts }: OpenBlock,
  { block, highThroughput }: Style,
): void {
  if (passes === 0) return;
  const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : new Uint8Array(Buffer.concat(parts));
  if (highThroughput) {
    checkCleanup(bytes.subarray(0, firstLength));
    return;
  }
  const { unused, beyond, symbols } = walkBlock({ width, height, band, passes, bytes, style: block });
  if (unused > slack.unused || beyond > slack.beyond || !symbols)
    throw damaged(
      `has a block of ${bytes.length} bytes whose decisions leave ${unused} and lack ${beyond}, so it is not what was written`,
    );
}

/** T.814 7.1.1: the last twelve bits of a cleanup segment are the length of its suffix: 2 to all of it, less than 4,080. */
function checkCleanup(segment: Uint8Array): void {
  if (segment.length === 0) return;
  const suffix = (segment.at(-1) ?? 0) * 16 + ((segment.at(-2) ?? 0) & 15);
  if (suffix < 2 || suffix > segment.length || suffix > 4079)
    throw damaged(
      `has a block of ${segment.length} bytes that states a suffix of ${suffix}, so it is not what was written`,
    );
}

function damaged(what: string): ImageFault {
  return new ImageFault('image-damaged', `The JPEG 2000 codestream ${what}`);
}
