import type { DiagnosticReport } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { ReadFrame } from '../../src/imaging/image-reading.ts';
import { readObjects } from '../../src/imaging/objects/image-references.ts';
import { extensionUrls } from '../../src/results/canonical-urls.ts';
import { imagePart, mostNamedObjects } from '../../src/results/image-part.ts';
import { readImageParts } from '../../src/results/read-image-parts.ts';

const study = { studyInstanceUid: '1.2.3', owners: ['a'.repeat(64)] };
const ct = '1.2.840.10008.5.1.4.1.1.2';
const enhanced = '1.2.840.10008.5.1.4.1.1.2.1';
const slice = (number: number): ReadFrame => ({
  seriesInstanceUid: '1.2.3.1',
  sopInstanceUid: `1.2.3.1.${number}`,
  sopClassUid: ct,
  frame: 1,
  objectFrames: 1,
});
const frameOf = (frame: number): ReadFrame => ({
  seriesInstanceUid: '1.2.3.2',
  sopInstanceUid: '1.2.3.2.1',
  sopClassUid: enhanced,
  frame,
  objectFrames: 9,
});
const volume = (slices: number) => Array.from({ length: slices }, (_, index) => slice(slices - index));

function reportOn(...images: readonly (readonly ReadFrame[])[]): DiagnosticReport {
  return {
    resourceType: 'DiagnosticReport',
    status: 'preliminary',
    code: { text: 'Phantom' },
    extension: images.map((each) => ({
      url: extensionUrls.input,
      extension: [{ url: 'name', valueString: 'chest' }, imagePart({ study, images: each })],
    })),
  };
}

describe('AIR-1: the objects that an image was made of', () => {
  it('stand in the stored report, in the order in which they were read, and are read from it again', () => {
    expect(readImageParts(reportOn(volume(600)))).toEqual({ ...study, objects: readObjects(volume(600)) });
  });

  it('of one kind stand together: a volume of 600 slices is below 60 kB', () => {
    const part = imagePart({ study, images: volume(600) });
    expect(part.extension?.map(({ url }) => url)).toEqual(['study', 'owner', 'objects']);
    expect(JSON.stringify(part).length).toBeLessThan(60_000);
  });

  it('with several frames say which were read, the only one that was read too', () => {
    const some = [7, 1, 2, 3].map(frameOf);
    expect(JSON.stringify(imagePart({ study, images: some }))).toContain('"frames","valueString":"1-3,7"');
    expect(readImageParts(reportOn(some))?.objects).toEqual([expect.objectContaining({ frames: [1, 2, 3, 7] })]);
    expect(readImageParts(reportOn([frameOf(1)]))?.objects).toEqual([expect.objectContaining({ frames: [1] })]);
    expect(readImageParts(reportOn([slice(1)]))?.objects[0]).not.toHaveProperty('frames');
  });

  it('of several inputs are told once each, with the frames of all', () => {
    const both = readImageParts(reportOn([slice(1), frameOf(2)], [frameOf(1), slice(1)]));
    expect(both?.objects).toEqual([
      expect.objectContaining({ sopInstanceUid: '1.2.3.1.1' }),
      expect.objectContaining({ sopInstanceUid: '1.2.3.2.1', frames: [1, 2] }),
    ]);
  });

  it('that are too many are counted, and then nothing is said of which they are', () => {
    const part = imagePart({ study, images: volume(mostNamedObjects + 1) });
    expect(part.extension?.slice(2)).toEqual([{ url: 'unnamed', valuePositiveInt: mostNamedObjects + 1 }]);
    expect(readImageParts(reportOn([slice(1)], volume(mostNamedObjects + 1)))).toBeUndefined();
  });

  it('are not told where there are none, or of two studies', () => {
    expect(readImageParts(reportOn())).toBeUndefined();
    const two = reportOn([slice(1)]);
    two.extension?.push({
      url: extensionUrls.input,
      extension: [imagePart({ study: { ...study, studyInstanceUid: '1.2.4' }, images: [slice(2)] })],
    });
    expect(readImageParts(two)).toBeUndefined();
  });
});
