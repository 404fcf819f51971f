import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DicomJson } from '../../src/imaging/dicom/dicom-json.ts';
import { readImageAttributes } from '../../src/imaging/dicom/image-attributes.ts';
import { readPart10 } from '../../src/imaging/dicom/read-part10.ts';
import { decodeFrame } from '../../src/imaging/pixels/decode-frame.ts';
import { type DecodedFrame, makeTensor, type TensorDefinition } from '../../src/imaging/preprocess/make-tensor.ts';
import { casesDir, casesPresent } from '../support/cases.ts';
import { readNpy } from './support/read-npy.ts';

/** What references/make-references.py made with pydicom, Pillow and SciPy. */
interface Reference extends TensorDefinition {
  readonly name: string;
  readonly file: string;
  readonly frames: readonly {
    readonly frame: number;
    readonly patch: Readonly<Record<string, DicomJson[string] | null>>;
  }[];
  readonly shape: readonly number[];
}

const folder = path.join(import.meta.dirname, 'references');
const { cases } = JSON.parse(readFileSync(path.join(folder, 'references.json'), 'utf8')) as { cases: Reference[] };

/** A frame of a file whose dataset is changed as the reference says; a native frame may be cut into several. */
function decoded({ file, frames }: Reference): DecodedFrame[] {
  const part10 = readPart10(readFileSync(path.join(casesDir, 'dicom/files', file)));
  return frames.map(({ frame, patch }) => {
    const changed = Object.entries({ ...part10.dataset, ...patch }).filter(([, element]) => element !== null);
    const attributes = readImageAttributes(Object.fromEntries(changed) as DicomJson);
    const form = attributes.pixels;
    if (form === undefined) throw new Error(`${file} has no pixels`);
    const encoded =
      part10.frames.length === form.frames ? part10.frames[frame] : partOf(part10.frames[0], frame, form.frames);
    if (encoded === undefined) throw new Error(`${file} has no frame ${frame}`);
    const stored = decodeFrame({ form, transferSyntaxUid: part10.transferSyntaxUid, bytes: encoded });
    return { stored, form, attributes: attributes.frame(frame) };
  });
}

function partOf(bytes: Uint8Array | undefined, frame: number, frames: number): Uint8Array | undefined {
  const length = (bytes?.length ?? 0) / frames;
  return bytes?.subarray(frame * length, (frame + 1) * length);
}

const requirement = (name: string): string => {
  if (/padding/.test(name)) return 'DW-24';
  if (/monochrome1|inverse/.test(name)) return 'DW-23';
  if (/window|voi/.test(name)) return 'DW-22';
  if (/per-slice/.test(name)) return 'DW-25';
  return /per-frame/.test(name) ? 'DW-24' : 'DW-21';
};

describe.runIf(casesPresent)('tensors equal those of independent tools within 1e-5', () => {
  it.each(cases.map((reference) => [`${requirement(reference.name)}: ${reference.name}`, reference] as const))(
    '%s',
    (_, reference) => {
      const frames = decoded(reference);
      const attributes = frames.map((frame) => frame.attributes);
      const made = makeTensor({ frames, attributes, definition: reference });
      const expected = readNpy(readFileSync(path.join(folder, `${reference.name}.npy`)));
      expect(made.shape).toEqual(reference.shape);
      expect(expected.shape).toEqual(reference.shape);
      expect(made.tensor.length).toBe(expected.data.length);
      // Values of hundreds of HU are float32 at the end: there 1e-5 is less than its last bit.
      const furthest = made.tensor.reduce((most, value, at) => {
        const wanted = expected.data[at] ?? Number.NaN;
        const allowed = Math.max(1e-5, Math.abs(wanted) * 2 ** -23);
        return Math.max(most, Math.abs(value - wanted) / allowed);
      }, 0);
      expect(furthest).toBeLessThanOrEqual(1);
    },
  );
});
