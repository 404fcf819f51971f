import { createImageSources } from '../../src/imaging/dicomweb/create-image-sources.ts';
import type { ImageSources } from '../../src/imaging/dicomweb/image-sources.ts';
import { createImageMemory, type ImageMemory } from '../../src/imaging/image-memory.ts';
import { createPixelWorkers, type PixelWorkers } from '../../src/imaging/preprocess/pixel-workers.ts';
import type { ImagingParts } from '../../src/imaging/read-images.ts';
import type { ImageDefinition } from '../../src/model-catalog/image-schema.ts';
import { dataset } from '../imaging/support/dataset.ts';
import { patient } from './build-record.ts';
import type { FakePacs, KeptObject } from './fake-pacs.ts';
import { outboundTo } from './outbound-to.ts';

const mrn = 'urn:oid:2.999.1';

/** Whose radiographs they are. */
export const radiographed = patient({ identifier: [{ system: mrn, value: '4711' }] });

/** When they are read: the study of `imagingStudy` has been quiet for hours. */
export const readAt = new Date('2026-01-02T12:00:30Z');

/** Modality values of 2 rows of 3, as they are. */
export const plainRadiograph: ImageDefinition = {
  kind: 'image',
  label: 'chest radiograph',
  study: { modality: ['DX'], window: 'P2D' },
  images: {},
  exclude: ['derived'],
  take: 'one-image',
  preprocess: [
    { step: 'resample', size: [2, 3], method: 'nearest', antialias: false },
    { step: 'channels', as: 'gray', place: 'none' },
  ],
  missing: 'abstain',
};

/** The only object of `imagingStudy`: frames of 2 rows of 3 pixels of 16 bits, of which 12 are stored. */
export function radiograph(
  changes: Parameters<typeof dataset>[0] = {},
  pixels: readonly number[] = [0, 1, 2, 3, 4, 5],
): KeptObject {
  return {
    dataset: dataset({
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
      SOPInstanceUID: '1.2.3.4.1.1',
      StudyInstanceUID: '1.2.3.4',
      SeriesInstanceUID: '1.2.3.4.1',
      Modality: 'DX',
      PatientID: '4711',
      IssuerOfPatientID: 'NORTH',
      Rows: 2,
      Columns: 3,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      ...changes,
    }),
    frames: Array.from({ length: pixels.length / 6 }, (_, frame) => {
      const values = Uint16Array.from(pixels.slice(frame * 6, frame * 6 + 6));
      return new Uint8Array(values.buffer);
    }),
  };
}

/** What reads images of these PACS, by the real client in one real thread; the first is the default. */
export function imagingAt(...servers: readonly FakePacs[]): {
  readonly parts: ImagingParts & {
    readonly memory: ImageMemory;
    readonly sources: ImageSources;
    readonly workers: PixelWorkers;
  };
  close(): Promise<void>;
} {
  const bases = servers.map(({ base }) => base);
  const sources = createImageSources(
    {
      servers: Object.fromEntries(
        bases.map((url, index) => [`pacs-${index}`, { url, endpoints: [], allowPlainHttp: false, connections: 4 }]),
      ),
      default: 'pacs-0',
      limits: { timeoutMs: 5_000, objectBytes: 1e6, metadataBytes: 1e6, studyBytes: 1e6, frames: 50, memoryBytes: 1e9 },
    },
    { outbound: outboundTo(...bases), readVariable: () => undefined },
  );
  const workers = createPixelWorkers({ threads: 1 });
  const parts = {
    sources,
    workers,
    limits: { frames: 50, objectBytes: 1e6, studyBytes: 1e6 },
    memory: createImageMemory(1e9),
    quietPeriodMs: 120_000,
    patientIdentifiers: [{ issuer: 'NORTH', system: mrn }],
    clock: { now: () => readAt },
  };
  return {
    parts,
    close: async () => {
      await workers.close();
      await sources.close();
    },
  };
}
