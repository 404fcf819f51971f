import { ImageFault } from '../../image-fault.ts';
import { PacketBits } from './packet-bits.ts';
import type { BandBlocks, CodingStyle, OpenBlock, Precinct } from './tile-geometry.ts';

/** How a block's passes are divided into pieces that end by themselves, and whether packets have marks. */
export interface PacketStyle extends CodingStyle {
  readonly marksStart: boolean;
  readonly marksEnd: boolean;
  /** Each pass ends by itself. */
  readonly endsEachPass: boolean;
  /** From the eleventh pass, two of three bypass the arithmetic coder. */
  readonly bypasses: boolean;
  /** Blocks are coded as T.814 says: a cleanup pass, and at most two that refine it. */
  readonly highThroughput: boolean;
}

/**
 * Reads the packets of a tile in their order (T.800 B.9 to B.12) and gives each block its bytes.
 * @param bytes the bodies of the tile's parts, one behind the other
 * @throws ImageFault `image-damaged` where the packets are not exactly these bytes
 */
export function readPackets(
  bytes: Uint8Array,
  { precincts, style }: { precincts: readonly Precinct[]; style: PacketStyle },
): void {
  let at = 0;
  for (const { precinct, layer } of inOrder(precincts, style)) at = readPacket(bytes, { at, precinct, layer, style });
  if (at !== bytes.length) throw damaged(`has ${bytes.length} bytes in a tile whose packets take ${at}`);
}

function damaged(what: string): ImageFault {
  return new ImageFault('image-damaged', `The JPEG 2000 codestream ${what}`);
}

type Place = (packet: { precinct: Precinct; layer: number }) => number;
const layer: Place = (packet) => packet.layer;
const resolution: Place = ({ precinct }) => precinct.resolution;
const component: Place = ({ precinct }) => precinct.component;
const index: Place = ({ precinct }) => precinct.index;
const x: Place = ({ precinct }) => precinct.x;
const y: Place = ({ precinct }) => precinct.y;

/** What packets are sorted by, of each progression (T.800 table A.16). */
const progressions: readonly (readonly Place[])[] = [
  [layer, resolution, component, index],
  [resolution, layer, component, index],
  [resolution, y, x, component, index, layer],
  [y, x, component, resolution, index, layer],
  [component, y, x, resolution, index, layer],
];

function inOrder(precincts: readonly Precinct[], style: PacketStyle): { precinct: Precinct; layer: number }[] {
  const places = progressions[style.progression];
  if (places === undefined) throw damaged('has a progression that does not exist');
  const packets = precincts.flatMap((precinct) =>
    Array.from({ length: style.layers }, (_, nth) => ({ precinct, layer: nth })),
  );
  return packets.sort((a, b) => {
    for (const place of places) {
      const difference = place(a) - place(b);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function readPacket(
  bytes: Uint8Array,
  { at, precinct, layer: nth, style }: { at: number; precinct: Precinct; layer: number; style: PacketStyle },
): number {
  let from = at;
  if (bytes[from] === 0xff && bytes[from + 1] === 0x91) {
    if (!style.marksStart) throw damaged('has a mark of a packet that it does not announce');
    from += 6;
  }
  const bits = new PacketBits(bytes, from);
  const found: { block: OpenBlock; length: number }[] = [];
  if (bits.bit() === 1)
    for (const band of precinct.bands)
      band.blocks.forEach((block, leaf) => {
        const length = readBlock(bits, { band, block, leaf, layer: nth, style });
        if (length !== undefined) found.push({ block, length });
      });
  let end = bits.end();
  if (style.marksEnd) {
    if (bytes[end] !== 0xff || bytes[end + 1] !== 0x92) throw damaged('lacks the mark at the end of a packet header');
    end += 2;
  }
  for (const { block, length } of found) {
    if (end + length > bytes.length) throw damaged('has a packet that is not whole');
    block.parts.push(bytes.subarray(end, end + length));
    end += length;
  }
  return end;
}

/** The bytes that a packet has of a block; undefined where it has none. */
function readBlock(
  bits: PacketBits,
  {
    band,
    block,
    leaf,
    layer: nth,
    style,
  }: { band: BandBlocks; block: OpenBlock; leaf: number; layer: number; style: PacketStyle },
): number | undefined {
  if (block.included) {
    if (bits.bit() === 0) return undefined;
  } else {
    if (!band.inclusion.isLess(leaf, { threshold: nth + 1, bits })) return undefined;
    block.included = true;
    let planes = 1;
    while (!band.zeroPlanes.isLess(leaf, { threshold: planes, bits }))
      if (++planes > 64) throw damaged('has a block of 64 empty planes');
  }
  let passes = readPasses(bits);
  while (bits.bit() === 1) block.lengthBits++;
  if (block.lengthBits > 32) throw damaged('has a packet that is not whole');
  let length = 0;
  while (passes > 0) {
    const together = style.highThroughput
      ? highThroughputPasses(block.passes, passes)
      : Math.min(passes, passesTogether(block.passes, style));
    const own = bits.number(block.lengthBits + Math.floor(Math.log2(together)));
    if (block.passes === 0) block.firstLength = own;
    length += own;
    block.passes += together;
    passes -= together;
  }
  return length;
}

/** T.800 table B.4. */
function readPasses(bits: PacketBits): number {
  if (bits.bit() === 0) return 1;
  if (bits.bit() === 0) return 2;
  const two = bits.number(2);
  if (two < 3) return 3 + two;
  const five = bits.number(5);
  return five < 31 ? 6 + five : 37 + bits.number(7);
}

/** T.814 B.3: passes of sets that are left out stand before the cleanup pass and share its length; two refine it. */
function highThroughputPasses(passed: number, passes: number): number {
  return passed === 0 ? Math.floor((passes - 1) / 3) * 3 + 1 : passes;
}

/** How many passes from here on share a length (T.800 tables D.8 and D.9). */
function passesTogether(passed: number, { endsEachPass, bypasses }: PacketStyle): number {
  if (endsEachPass) return 1;
  if (!bypasses) return Number.POSITIVE_INFINITY;
  if (passed < 10) return 10 - passed;
  // From there on: two that bypass, one that does not.
  return (passed - 10) % 3 === 2 ? 1 : 2 - ((passed - 10) % 3);
}
