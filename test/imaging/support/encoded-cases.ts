import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readPixelForm } from '../../../src/imaging/dicom/pixel-form.ts';
import { type Part10, readPart10 } from '../../../src/imaging/dicom/read-part10.ts';
import { ImageFault } from '../../../src/imaging/image-fault.ts';
import type { EncodedFrame } from '../../../src/imaging/pixels/decode-frame.ts';
import { transferSyntax } from '../../../src/imaging/pixels/transfer-syntaxes.ts';
import { casesDir } from '../../support/cases.ts';

/** The first frame of every file of the cases that is readable and compressed, as it is encoded. */
export function encodedCases(): (EncodedFrame & { readonly name: string; readonly coding: string })[] {
  return ['files', 'transcoded'].flatMap((folder) =>
    readdirSync(path.join(casesDir, 'dicom', folder)).flatMap((name) => {
      const part10 = readable(readFileSync(path.join(casesDir, 'dicom', folder, name)));
      const coding = part10 && transferSyntax(part10.transferSyntaxUid)?.coding;
      const form = part10 && readPixelForm(part10.dataset);
      if (form === undefined || coding === undefined || coding === 'native' || coding === 'big-endian') return [];
      const bytes = Uint8Array.from(part10?.frames[0] as Uint8Array);
      return [{ name, coding, form, transferSyntaxUid: part10?.transferSyntaxUid as string, bytes }];
    }),
  );
}

function readable(file: Uint8Array): Part10 | undefined {
  try {
    return readPart10(file);
  } catch (error) {
    if (error instanceof ImageFault) return undefined;
    throw error;
  }
}
