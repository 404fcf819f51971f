import { ImageFault } from '../../image-fault.ts';
import { EntropyReader } from './entropy-reader.ts';
import type { JpegFrame, JpegScan } from './jpeg-stream.ts';

/** Blocks of one component in an MCU, with what they are coded by. */
interface UnitPlan {
  readonly blocks: number;
  readonly component: JpegScan['components'][number];
  /** The quantization step of the first coefficient. */
  readonly step: number;
}

/**
 * Walks a sequential DCT scan (T.81 F.2) code by code. Decoders fill in what is missing and skip what is too much;
 * here each restart interval must hold exactly its MCUs, each code exist, each block end at its 64th coefficient at
 * the latest, and the mean of each block be one that samples can have.
 * @throws ImageFault `image-damaged` where it is not so
 */
export function checkDctScan(frame: JpegFrame, scan: JpegScan): void {
  if (scan.first !== 0 || scan.last !== 63 || scan.shift !== 0) throw damaged('has a scan that is not sequential');
  const { plans, units } = planOf(frame, scan);
  const perInterval = scan.restartInterval === 0 ? units : scan.restartInterval;
  if (scan.intervals.length !== Math.ceil(units / perInterval))
    throw damaged(`has ${scan.intervals.length} restart intervals; ${Math.ceil(units / perInterval)} are needed`);
  // The mean of a block, times 8, within the range of its samples and half a step.
  const largest = 8 * 2 ** (frame.precision - 1);
  scan.intervals.forEach((interval, index) => {
    const reader = new EntropyReader(interval);
    const means = plans.map(() => 0);
    const count = Math.min(perInterval, units - index * perInterval);
    for (let unit = 0; unit < count; unit++)
      plans.forEach((plan, order) => {
        for (let block = 0; block < plan.blocks; block++) {
          const mean = (means[order] as number) + readBlock(reader, { plan, precision: frame.precision });
          means[order] = mean;
          if (Math.abs(mean * plan.step) > largest + plan.step)
            throw damaged('has a block that is brighter than samples can be');
        }
      });
    reader.finish();
  });
}

function planOf(frame: JpegFrame, scan: JpegScan): { plans: UnitPlan[]; units: number } {
  const across = Math.max(...frame.components.map((component) => component.across));
  const down = Math.max(...frame.components.map((component) => component.down));
  const alone = scan.components.length === 1;
  const plans = scan.components.map((component): UnitPlan => {
    const of = frame.components[component.index] as JpegFrame['components'][number];
    const step = scan.quantization.get(of.quantization)?.[0];
    if (step === undefined || component.dc === undefined || component.ac === undefined) throw damaged('lacks a table');
    return { blocks: alone ? 1 : of.across * of.down, component, step };
  });
  const only = frame.components[scan.components[0]?.index ?? 0] as JpegFrame['components'][number];
  const unitsIn = (size: number, own: number, most: number): number =>
    alone ? Math.ceil(Math.ceil((size * own) / most) / 8) : Math.ceil(size / (8 * most));
  return { plans, units: unitsIn(frame.columns, only.across, across) * unitsIn(frame.rows, only.down, down) };
}

/** Reads one block; returns the difference of its first coefficient. */
function readBlock(reader: EntropyReader, { plan, precision }: { plan: UnitPlan; precision: number }): number {
  const { dc, ac } = plan.component as Required<UnitPlan['component']>;
  const size = reader.symbol(dc);
  if (size > precision + 3) throw damaged('has a difference of more bits than samples can have');
  const difference = reader.signed(size);
  for (let index = 1; index < 64; ) {
    const symbol = reader.symbol(ac);
    const bits = symbol & 15;
    if (bits === 0) {
      if (symbol === 0) break;
      if (symbol !== 0xf0) throw damaged('has a run that does not exist');
      index += 16;
      // A run of 16 zeros is written only before a coefficient.
      if (index > 63) throw damaged('has a block of more than 64 coefficients');
      continue;
    }
    if (bits > precision + 2) throw damaged('has a coefficient of more bits than samples can have');
    index += symbol >> 4;
    if (index > 63) throw damaged('has a block of more than 64 coefficients');
    reader.signed(bits);
    index++;
  }
  return difference;
}

function damaged(what: string): ImageFault {
  return new ImageFault('image-damaged', `The JPEG stream ${what}`);
}
