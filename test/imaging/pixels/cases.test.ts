import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPixelForm } from '../../../src/imaging/dicom/pixel-form.ts';
import { readPart10 } from '../../../src/imaging/dicom/read-part10.ts';
import { ImageFault } from '../../../src/imaging/image-fault.ts';
import { decodeFrame } from '../../../src/imaging/pixels/decode-frame.ts';
import type { StoredFrame } from '../../../src/imaging/pixels/stored-frame.ts';
import { transferSyntax } from '../../../src/imaging/pixels/transfer-syntaxes.ts';
import { casesDir, casesPresent, readCsv } from '../../support/cases.ts';
import { statisticsOf } from '../support/pixel-statistics.ts';

const read = (file: string): Uint8Array => readFileSync(path.join(casesDir, 'dicom', file));

/** Every frame of a file, decoded. */
function framesOf(file: string): { frames: StoredFrame[]; lossy: boolean } {
  const { dataset, transferSyntaxUid, frames } = readPart10(read(file));
  const form = readPixelForm(dataset);
  if (form === undefined) throw new Error(`${file} has no pixels`);
  return {
    frames: frames.map((bytes) => decodeFrame({ form, transferSyntaxUid, bytes })),
    lossy: transferSyntax(transferSyntaxUid)?.lossy === true,
  };
}

describe.runIf(casesPresent)('pixels of the cases', () => {
  const rows = casesPresent ? readCsv('dicom/files_expected.csv') : [];
  const whole = rows.filter(({ n_decoders_ok, file }) => Number(n_decoders_ok) > 0 && file !== 'MR_truncated.dcm');

  it.each(whole.map((row) => [row.file as string, row.ts_name as string, row]))(
    'DW-20: of %s (%s) are those that other decoders give',
    (file, _, row) => {
      const { frames, lossy } = framesOf(`files/${file}`);
      const found = statisticsOf(frames);
      const shape = [
        ...(frames.length > 1 ? [frames.length] : []),
        row.rows,
        row.cols,
        ...(row.samples === '3' ? [3] : []),
      ];
      expect(shape.join('x')).toBe(row.ref_shape);
      expect(found.type).toBe(row.ref_dtype);
      if (!lossy) expect(found.sha256).toBe(row.ref_sha256);
      expect(Math.abs(found.mean - Number(row.ref_mean))).toBeLessThanOrEqual(lossy ? 0.5 : 1e-4);
      expect(Math.abs(found.min - Number(row.ref_min))).toBeLessThanOrEqual(lossy ? 3 : 0);
      expect(Math.abs(found.max - Number(row.ref_max))).toBeLessThanOrEqual(lossy ? 3 : 0);
    },
  );

  const transcoded = casesPresent ? readCsv('dicom/transcoded_expected.csv') : [];
  it.each(transcoded.map((row) => [row.file as string, row.ts_name as string, row]))(
    'DW-20: of %s (%s) are those of what it was made of',
    (file, _, row) => {
      const { frames } = framesOf(`transcoded/${file}`);
      const found = statisticsOf(frames);
      const [min, max, mean] = (row.min_max_mean as string).split('/').map(Number) as [number, number, number];
      if (row.lossless === '1') expect(found.sha256).toBe(row.source_sha256);
      expect(Math.abs(found.mean - mean)).toBeLessThanOrEqual(row.lossless === '1' ? 1e-4 : 0.5);
      expect([found.min, found.max]).toEqual([min, max]);
    },
  );

  it.each([
    ['MR_truncated.dcm', 'image-damaged', 'The DICOM file is not whole'],
    ['nested_priv_SQ.dcm', 'image-damaged', 'The DICOM file is not whole'],
  ])('of %s are refused: %s', (file, because, words) => {
    expect(() => framesOf(`files/${file}`)).toThrow(
      expect.objectContaining({ because, message: expect.stringContaining(words) }),
    );
  });

  const withoutPixels = casesPresent ? readdirSync(path.join(casesDir, 'dicom/no_pixels')) : [];
  it.each(withoutPixels)('are none, or the file is refused in words, of %s', (file) => {
    const readOrRefuse = (): number => {
      try {
        return readPart10(read(`no_pixels/${file}`)).frames.length;
      } catch (error) {
        expect(error).toBeInstanceOf(ImageFault);
        return 0;
      }
    };
    expect(readOrRefuse()).toBe(0);
  });
});
