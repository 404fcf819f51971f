import type { PixelForm } from '../../dicom/pixel-form.ts';
import { ImageFault } from '../../image-fault.ts';
import { cellArray, keepStoredBits, valuesOf } from '../cells.ts';
import { requireSameForm } from '../require-same-form.ts';
import type { StoredFrame } from '../stored-frame.ts';
import { EntropyReader } from './entropy-reader.ts';
import type { HuffmanTable } from './huffman-table.ts';
import { type JpegFrame, type JpegScan, readJpegStream } from './jpeg-stream.ts';

/**
 * Decodes JPEG Lossless (T.81 annex H, processes 14): every predictor, one to 16 bits, interleaved or not. Each restart
 * interval must hold exactly its differences and each value be one of its precision.
 * @throws ImageFault `image-damaged` where it is not so or the form is another, `image-unsupported` for other processes
 */
export function decodeLosslessJpeg({ form, bytes }: { form: PixelForm; bytes: Uint8Array }): StoredFrame['data'] {
  const { frame, scans } = readJpegStream(bytes);
  if (frame.marker !== 0xc3) throw new ImageFault('image-unsupported', 'The JPEG stream is not one of process 14');
  requireSameForm(form, { ...frame, components: frame.components.length });
  const parts = scans.flatMap((scan) => scan.components.map(({ index }) => index));
  if (new Set(parts).size !== parts.length || parts.length !== form.samplesPerPixel)
    throw damaged('does not have each component in one scan');
  const alone = (component: JpegFrame['components'][number]): boolean =>
    component.across === component.down && component.across === 1;
  // Where one component is alone its sampling has no meaning (T.81 A.2.2).
  if (frame.components.length > 1 && !frame.components.every(alone))
    throw new ImageFault('image-unsupported', 'The JPEG stream is lossless with samples of different density');
  const data = cellArray(form, valuesOf(form));
  for (const scan of scans) decodeScan(scan, { frame, data: data as Uint16Array });
  keepStoredBits(data, form);
  return data;
}

/** What is known while a scan is decoded; `data` is written as unsigned and wraps to the sign of its cells. */
interface Target {
  readonly frame: JpegFrame;
  readonly data: StoredFrame['data'];
}

function decodeScan(scan: JpegScan, { frame, data }: Target): void {
  const { rows, columns, precision } = frame;
  const samples = frame.components.length;
  const tables = scan.components.map(({ dc }): HuffmanTable => {
    if (dc === undefined) throw damaged('lacks a Huffman table');
    return dc;
  });
  if (scan.first < 1 || scan.first > 7 || scan.shift >= precision) throw damaged('has no predictor of 1 to 7');
  const units = rows * columns;
  const perInterval = scan.restartInterval === 0 ? units : scan.restartInterval;
  if (perInterval % columns !== 0) throw damaged('has a restart interval that is not whole rows');
  if (scan.intervals.length !== Math.ceil(units / perInterval))
    throw damaged(`has ${scan.intervals.length} restart intervals; ${Math.ceil(units / perInterval)} are needed`);
  const limit = 2 ** (precision - scan.shift);
  const plane = new Int32Array(units);
  const planes = tables.map((_, order) => (order === 0 ? plane : new Int32Array(units)));
  scan.intervals.forEach((interval, index) => {
    const reader = new EntropyReader(interval);
    const from = index * perInterval;
    const to = Math.min(from + perInterval, units);
    for (let at = from; at < to; at++)
      for (let order = 0; order < tables.length; order++) {
        const values = planes[order] as Int32Array;
        const size = reader.symbol(tables[order] as HuffmanTable);
        if (size > 16) throw damaged('has a difference of more than 16 bits');
        // A difference of 16 bits is 32,768 and nothing follows (T.81 H.1.2.2).
        const difference = size === 16 ? 32_768 : reader.signed(size);
        const value =
          (predict(values, { at, columns, from, predictor: scan.first, middle: limit / 2 }) + difference) & 0xffff;
        if (value >= limit) throw damaged(`has a value of more than ${precision} bits`);
        values[at] = value;
      }
    reader.finish();
  });
  planes.forEach((values, order) => {
    const sample = (scan.components[order] as JpegScan['components'][number]).index;
    for (let at = 0; at < units; at++) data[at * samples + sample] = (values[at] as number) << scan.shift;
  });
}

/** T.81 H.1.2.1: the first of an interval from the middle, its first row from the left, the first column from above. */
function predict(
  values: Int32Array,
  {
    at,
    columns,
    from,
    predictor,
    middle,
  }: { at: number; columns: number; from: number; predictor: number; middle: number },
): number {
  if (at === from) return middle;
  if (at < from + columns) return values[at - 1] as number;
  const above = values[at - columns] as number;
  if (at % columns === 0) return above;
  const left = values[at - 1] as number;
  const corner = values[at - columns - 1] as number;
  switch (predictor) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return corner;
    case 4:
      return left + above - corner;
    case 5:
      return left + ((above - corner) >> 1);
    case 6:
      return above + ((left - corner) >> 1);
    default:
      return (left + above) >> 1;
  }
}

function damaged(what: string): ImageFault {
  return new ImageFault('image-damaged', `The JPEG stream ${what}`);
}
