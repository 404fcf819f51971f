import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import type { Endpoint, ImagingStudy } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DicomJson } from '../../src/imaging/dicom/dicom-json.ts';
import { readPart10 } from '../../src/imaging/dicom/read-part10.ts';
import { createImageMemory } from '../../src/imaging/image-memory.ts';
import type { ImageReading } from '../../src/imaging/image-reading.ts';
import { comprehensiveReport } from '../../src/imaging/objects/comprehensive-report.ts';
import { secondaryCapture } from '../../src/imaging/objects/secondary-capture.ts';
import { type ImagingParts, type ReadOptions, readImages } from '../../src/imaging/read-images.ts';
import { ownerMark } from '../../src/imaging/study/owner-mark.ts';
import type { ImageDefinition } from '../../src/model-catalog/image-schema.ts';
import { tensorDigest } from '../../src/model-catalog/tensor-digest.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import { imagingSeries, imagingStudy, wadoEndpoint } from '../support/build-imaging-study.ts';
import { recordOf } from '../support/build-record.ts';
import { casesDir, casesPresent } from '../support/cases.ts';
import { type FakePacs, startFakePacs, unpadded } from '../support/fake-pacs.ts';
import { imagingAt, plainRadiograph, radiograph, radiographed } from '../support/radiographs.ts';
import { dataset } from './support/dataset.ts';
import { reportContent, resultOrigin } from './support/result-origin.ts';

const asOf = '2026-01-02T12:00:00Z';

let pacs: FakePacs;
let archive: FakePacs;
let imaging: ReturnType<typeof imagingAt>;

beforeAll(async () => {
  pacs = await startFakePacs();
  archive = await startFakePacs();
  imaging = imagingAt(pacs, archive);
});

afterAll(async () => {
  await imaging.close();
  await pacs.close();
  await archive.close();
});

beforeEach(() => {
  for (const server of [pacs, archive]) {
    server.objects.length = 0;
    server.requests.length = 0;
    server.bulk.clear();
    server.intercept = () => false;
  }
  pacs.objects.push(radiograph());
});

interface Given {
  readonly definition?: Partial<ImageDefinition>;
  readonly study?: ImagingStudy;
  readonly endpoints?: readonly Endpoint[];
  readonly others?: readonly RecordResource[];
  readonly parts?: Partial<ImagingParts>;
  readonly options?: Partial<ReadOptions>;
  readonly isOccluded?: boolean;
}

async function read(given: Given = {}): Promise<ImageReading> {
  const { definition, study = imagingStudy(), endpoints = [wadoEndpoint({ address: pacs.base })] } = given;
  const parts = { ...imaging.parts, ...given.parts };
  const record = recordOf([radiographed, study, ...endpoints, ...(given.others ?? [])], asOf);
  const isOccluded = given.isOccluded ?? false;
  const wanted = [{ name: 'chest', definition: { ...plainRadiograph, ...definition }, isOccluded }];
  const reading = (await readImages(parts, wanted, record, { timeZone: 'UTC', ...given.options })).get('chest');
  if (reading === undefined) throw new Error('every image has a reading');
  return reading;
}

async function tensor(given: Given = {}): Promise<number[]> {
  const reading = await read(given);
  if (reading.state === 'missing') throw new Error(`${reading.because}: ${reading.detail}`);
  return [...reading.tensor];
}

async function reason(given: Given = {}): Promise<readonly [string, string]> {
  const reading = await read(given);
  return reading.state === 'missing' ? [reading.because, reading.detail] : ['read', reading.rule];
}

describe('TM-4: an image', () => {
  it('of an ImagingStudy is read from its PACS, and it is said which and why', async () => {
    const reading = await read();
    expect(reading).toMatchObject({
      state: 'read',
      shape: [2, 3],
      study: {
        imagingStudy: { reference: 'ImagingStudy/s1' },
        studyInstanceUid: '1.2.3.4',
        owners: [ownerMark('1.2.3.4', { patientId: '4711', issuerOfPatientId: 'NORTH' })],
      },
      images: [{ seriesInstanceUid: '1.2.3.4.1', sopInstanceUid: '1.2.3.4.1.1', frame: 1 }],
      at: '2026-01-02T07:30:00Z',
      rule: 'modality DX; without derived; took the only image that fits',
    });
    if (reading.state !== 'read') return;
    expect([...reading.tensor]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(reading.digest).toBe(tensorDigest(reading.tensor));
    expect(pacs.requests).toEqual([
      'GET /studies/1.2.3.4/metadata',
      'GET /studies/1.2.3.4/series/1.2.3.4.1/instances/1.2.3.4.1.1/frames/1',
    ]);
  });

  it('DW-1: of a study with a bare UID', async () => {
    const bare = imagingStudy({ identifier: [{ system: 'urn:dicom:uid', value: '1.2.3.4' }] });
    expect(await tensor({ study: bare })).toHaveLength(6);
  });

  it('DW-3: of a series with an Endpoint of its own is read from there, not from the Endpoint of the study', async () => {
    archive.objects.push(radiograph({}, [9, 9, 9, 9, 9, 9]));
    const study = imagingStudy({ series: [imagingSeries({ endpoint: [{ reference: 'Endpoint/archive' }] })] });
    const endpoints = [wadoEndpoint({ address: pacs.base }), wadoEndpoint({ id: 'archive', address: archive.base })];
    expect(await tensor({ study, endpoints })).toEqual([9, 9, 9, 9, 9, 9]);
    expect(pacs.requests).toEqual([]);
  });

  it('DW-3: of two series at two servers is read from the one that has it', async () => {
    archive.objects.push(
      radiograph({ SeriesInstanceUID: '1.2.3.4.2', SOPInstanceUID: '1.2.3.4.2.1', ViewPosition: 'LL' }),
    );
    const series = [
      imagingSeries(),
      imagingSeries({ uid: '1.2.3.4.2', endpoint: [{ reference: 'Endpoint/archive' }] }),
    ];
    const study = imagingStudy({ series, numberOfSeries: 2, numberOfInstances: 2 });
    const endpoints = [wadoEndpoint({ address: pacs.base }), wadoEndpoint({ id: 'archive', address: archive.base })];
    const reading = await read({ study, endpoints, definition: { images: { view: ['LL'] } } });
    expect(reading).toMatchObject({ images: [{ sopInstanceUid: '1.2.3.4.2.1' }] });
  });

  it('DW-3: of a study with a contained Endpoint, or with none where a default is configured', async () => {
    const contained = imagingStudy({
      contained: [wadoEndpoint({ id: 'here', address: `${pacs.base}/studies/` })],
      endpoint: [{ reference: '#here' }],
    });
    expect(await tensor({ study: contained, endpoints: [] })).toHaveLength(6);
    expect(await tensor({ study: imagingStudy({ endpoint: undefined }), endpoints: [] })).toHaveLength(6);
  });

  it('DW-3: of a study without an Endpoint is not read where no default is configured', async () => {
    const without = { ...imaging.parts.sources, defaultSource: () => undefined };
    const study = imagingStudy({ endpoint: undefined });
    expect((await reason({ study, parts: { sources: without } }))[0]).toBe('no-image-source');
    expect(pacs.requests).toEqual([]);
  });

  it('DW-4: behind an Endpoint whose host is not listed is not read, and nobody is asked', async () => {
    const endpoints = [wadoEndpoint({ address: 'http://169.254.169.254/dicom-web' })];
    expect((await reason({ endpoints }))[0]).toBe('no-image-source');
    expect([...pacs.requests, ...archive.requests]).toEqual([]);
  });

  it('DW-5: of a study that lists no series is found by the metadata of the study', async () => {
    expect(await tensor({ study: imagingStudy({ series: undefined }) })).toHaveLength(6);
  });

  it('DW-16: of a study that the server does not know, or answers 204 for, is still to come', async () => {
    pacs.objects.length = 0;
    expect((await reason())[0]).toBe('study-incomplete');
    pacs.intercept = (_request, response) => {
      response.writeHead(204).end();
      return true;
    };
    expect((await reason())[0]).toBe('study-incomplete');
  });

  it('DW-20: of 12 bits in 16, signed, is extended by its sign', async () => {
    pacs.objects.splice(0, 1, radiograph({ PixelRepresentation: 1 }, [0x0fff, 0x0800, 0x07ff, 0, 1, 2]));
    expect(await tensor()).toEqual([-1, -2048, 2047, 0, 1, 2]);
  });

  it('DW-23: in MONOCHROME1 is turned over after its window', async () => {
    const window = { step: 'window' as const, center: 3, width: 5, function: 'LINEAR_EXACT' as const };
    const [resample, channels] = plainRadiograph.preprocess;
    if (resample === undefined || channels === undefined) throw new Error('two steps');
    pacs.objects.splice(0, 1, radiograph({ PhotometricInterpretation: 'MONOCHROME1' }));
    const inverted = await tensor({ definition: { preprocess: [window, resample, channels] } });
    pacs.objects.splice(0, 1, radiograph());
    const plain = await tensor({ definition: { preprocess: [window, resample, channels] } });
    expect(inverted.map((value) => Math.round((1 - value) * 1e5))).toEqual(
      plain.map((value) => Math.round(value * 1e5)),
    );
    expect(inverted[0]).toBeGreaterThan(inverted[5] ?? 1);
  });

  it('DW-24: of several frames is rescaled frame by frame, and sorted by position', async () => {
    pacs.objects.splice(
      0,
      1,
      radiograph(
        {
          Modality: 'CT',
          NumberOfFrames: 2,
          ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
          PixelSpacing: [1, 1],
          PerFrameFunctionalGroupsSequence: [
            { z: 5, slope: 10 },
            { z: 0, slope: 100 },
          ].map(({ z, slope }) =>
            dataset({
              PlanePositionSequence: [dataset({ ImagePositionPatient: [0, 0, z] })],
              PixelValueTransformationSequence: [dataset({ RescaleSlope: slope, RescaleIntercept: -1 })],
            }),
          ),
        },
        [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2],
      ),
    );
    const volume: Partial<ImageDefinition> = {
      study: { modality: ['CT'], window: 'P2D' },
      take: 'volume',
      preprocess: [
        { step: 'resample', size: [2, 2, 3], method: 'nearest', antialias: false },
        { step: 'channels', as: 'gray', place: 'none' },
      ],
    };
    const study = imagingStudy({ series: [imagingSeries({ modality: { code: 'CT' } })] });
    const reading = await read({ definition: volume, study });
    expect(reading).toMatchObject({ state: 'read', images: [{ frame: 2 }, { frame: 1 }] });
    if (reading.state === 'read') expect([...reading.tensor]).toEqual([...Array(6).fill(199), ...Array(6).fill(9)]);
  });

  it('DW-10: whose tables lie elsewhere on its server is read with them', async () => {
    const table: DicomJson = dataset({ LUTDescriptor: [6, 0, 16], ModalityLUTType: 'US' });
    const elsewhere = { ...table, '00283006': { vr: 'OW', BulkDataURI: `${pacs.base}/bulk/lut` } };
    pacs.bulk.set('lut', new Uint8Array(Uint16Array.from([10, 20, 30, 40, 50, 60]).buffer));
    pacs.objects.splice(0, 1, radiograph({ ModalityLUTSequence: [elsewhere] }));
    expect(await tensor()).toEqual([10, 20, 30, 40, 50, 60]);
  });
});

describe('TM-4: frames', () => {
  it('DW-11: are asked for as they are stored, and uncompressed where the server answers 406', async () => {
    const accepted: string[] = [];
    pacs.intercept = (request, response) => {
      if (!request.url?.includes('/frames/')) return false;
      accepted.push(/transfer-syntax=(.*)$/.exec(String(request.headers.accept))?.[1] ?? '');
      if (accepted.length > 1) return false;
      response.writeHead(406).end();
      return true;
    };
    expect(await tensor()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(accepted).toEqual(['*', '1.2.840.10008.1.2.1']);
  });

  it('DW-11: may come as a single part', async () => {
    pacs.intercept = (request, response) => {
      if (!request.url?.includes('/frames/')) return false;
      const type = 'application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1';
      response.writeHead(200, { 'content-type': type }).end(radiograph().frames[0]);
      return true;
    };
    expect(await tensor()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('DW-14: of a stack come as several parts, and stay in their order', async () => {
    pacs.objects.splice(0, 1, radiograph({ NumberOfFrames: 2 }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
    const [, channels] = plainRadiograph.preprocess;
    const resample = { step: 'resample' as const, size: [2, 2, 3], method: 'nearest' as const, antialias: false };
    const definition: Partial<ImageDefinition> = {
      take: 'stack',
      preprocess: [resample, ...(channels ? [channels] : [])],
    };
    expect(await tensor({ definition })).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it.runIf(casesPresent)('stored as JPEG 2000 are decoded here', async () => {
    const plain = readPart10(await readFile(path.join(casesDir, 'dicom/files/MR_small.dcm')));
    const packed = readPart10(await readFile(path.join(casesDir, 'dicom/files/MR_small_jp2klossless.dcm')));
    const tensors: number[][] = [];
    for (const { dataset: stored, frames, transferSyntaxUid } of [plain, packed]) {
      const owned = { ...stored, ...dataset({ PatientID: '4711', IssuerOfPatientID: 'NORTH' }) };
      const known = { ...owned, ...dataset({ StudyInstanceUID: '1.2.3.4', SeriesInstanceUID: '1.2.3.4.1' }) };
      const { '7FE00010': _, ...metadata } = known as Record<string, DicomJson[string]>;
      pacs.objects.splice(0, 1, { dataset: metadata, frames, transferSyntaxUid });
      const study = imagingStudy({ series: [imagingSeries({ modality: { code: 'MR' } })] });
      const resample = { step: 'resample' as const, size: [64, 64], method: 'nearest' as const, antialias: false };
      const [, channels] = plainRadiograph.preprocess;
      const definition: Partial<ImageDefinition> = {
        study: { modality: ['MR'], window: 'P2D' },
        exclude: [],
        preprocess: [resample, ...(channels ? [channels] : [])],
      };
      tensors.push(await tensor({ study, definition }));
    }
    expect(tensors[1]).toEqual(tensors[0]);
    expect(new Set(tensors[0]).size).toBeGreaterThan(100);
  });
});

describe('no image is read', () => {
  it('where no image server is configured', async () => {
    const record = recordOf([radiographed, imagingStudy()], asOf);
    const readings = await readImages(
      undefined,
      [{ name: 'chest', definition: plainRadiograph, isOccluded: false }],
      record,
      {
        timeZone: 'UTC',
      },
    );
    expect(readings.get('chest')).toMatchObject({ state: 'missing', because: 'no-image-source' });
  });

  it('of a study that is not available, and it is said which one, so that its report does not stand as current', async () => {
    const site = { bodySite: ['http://snomed.info/sct|51185008'] };
    for (const [study, wanted] of [
      [imagingStudy({ status: 'registered' }), plainRadiograph.study],
      [imagingStudy({ series: undefined }), { ...plainRadiograph.study, ...site }],
    ] as const)
      expect(await read({ study, definition: { study: wanted } })).toMatchObject({
        state: 'missing',
        sources: [{ reference: 'ImagingStudy/s1' }],
      });
    expect(pacs.requests).toEqual([]);
  });

  it('DW-1: of a study where the model needs another image too, and there is no study for that one', async () => {
    const record = recordOf([radiographed, imagingStudy(), wadoEndpoint({ address: pacs.base })], asOf);
    const ct = { ...plainRadiograph, study: { ...plainRadiograph.study, modality: ['CT'] } };
    const wanted = [
      { name: 'chest', definition: plainRadiograph, isOccluded: false },
      { name: 'scan', definition: ct, isOccluded: false },
    ];
    const readings = await readImages(imaging.parts, wanted, record, { timeZone: 'UTC' });
    expect(readings.get('chest')).toMatchObject({ because: 'not-read', sources: [{ reference: 'ImagingStudy/s1' }] });
    expect(readings.get('scan')).toMatchObject({ because: 'not-found', sources: [] });
    expect(pacs.requests).toEqual([]);
  });

  it('DW-16: of a study where another image that the model needs is still to come, and no memory is waited for', async () => {
    const memory = createImageMemory(1e9);
    await memory.take(1e9);
    const later = imagingStudy({
      id: 'later',
      identifier: [{ system: 'urn:dicom:uid', value: 'urn:oid:9.9' }],
      modality: [{ code: 'CT' }],
      series: [imagingSeries({ uid: '9.9.1', modality: { code: 'CT' } })],
    });
    const record = recordOf([radiographed, imagingStudy(), later, wadoEndpoint({ address: pacs.base })], asOf);
    const ct = { ...plainRadiograph, study: { ...plainRadiograph.study, modality: ['CT'] } };
    const wanted = [
      { name: 'chest', definition: plainRadiograph, isOccluded: false },
      { name: 'scan', definition: ct, isOccluded: false },
    ];
    const readings = await readImages({ ...imaging.parts, memory }, wanted, record, { timeZone: 'UTC' });
    expect(readings.get('scan')).toMatchObject({
      because: 'study-incomplete',
      sources: [{ reference: 'ImagingStudy/later' }],
    });
    expect(readings.get('chest')).toMatchObject({ because: 'not-read', sources: [{ reference: 'ImagingStudy/s1' }] });
    expect(pacs.requests.filter((path) => path.includes('/frames/'))).toEqual([]);
  });

  it('of another patient: PatientID, issuer, accession', async () => {
    for (const changes of [{ PatientID: '4712' }, { PatientID: undefined }, { IssuerOfPatientID: 'SOUTH' }]) {
      pacs.objects.splice(0, 1, radiograph(changes));
      const [because, detail] = await reason();
      expect(because).toBe('study-of-another-patient');
      expect(detail).not.toMatch(/471[12]|SOUTH/);
    }
    expect(pacs.requests.filter((path) => path.includes('/frames/'))).toEqual([]);
  });

  it('where one object of the study is of another patient, also one that is not asked for', async () => {
    pacs.objects.push(radiograph({ SOPInstanceUID: '1.2.3.4.9', Modality: 'CT', PatientID: '4712' }));
    const study = imagingStudy({ numberOfInstances: 2, series: [imagingSeries({ numberOfInstances: 2 })] });
    expect((await reason({ study }))[0]).toBe('study-of-another-patient');
  });

  it('of a study that is not whole: an object still to come, one that is not counted, a change a moment ago', async () => {
    const counted = imagingStudy({ numberOfInstances: 2, series: [imagingSeries({ numberOfInstances: 2 })] });
    expect((await reason({ study: counted }))[0]).toBe('study-incomplete');
    pacs.objects.push(radiograph({ SOPInstanceUID: '1.2.3.4.9' }));
    expect((await reason())[0]).toBe('study-incomplete');
    pacs.objects.pop();
    const fresh = imagingStudy({ meta: { lastUpdated: '2026-01-02T11:59:00Z' } });
    expect(await read({ study: fresh })).toMatchObject({ because: 'study-incomplete', passes: true });
    expect(await read({ study: counted })).not.toHaveProperty('passes');
    const bare = { ...fresh, numberOfInstances: undefined, numberOfSeries: undefined, series: undefined };
    expect(await read({ study: bare })).not.toHaveProperty('passes');
    expect(pacs.requests.filter((path) => path.includes('/frames/'))).toEqual([]);
  });

  it('of a study without counts whose server lists fewer objects than it counts', async () => {
    const uncounted = imagingStudy({ numberOfInstances: undefined, numberOfSeries: undefined, series: undefined });
    expect((await reason({ study: uncounted }))[0]).toBe('read');
    pacs.objects.push(radiograph({ SOPInstanceUID: '1.2.3.4.9' }));
    const listsOne = JSON.stringify([radiograph().dataset]);
    pacs.intercept = (request, response) => {
      if (!request.url?.endsWith('/metadata')) return false;
      response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(listsOne);
      return true;
    };
    expect((await reason({ study: uncounted }))[0]).toBe('study-incomplete');
  });

  it('of a study without counts whose series lie each behind an Endpoint of its own: nothing says that it is whole', async () => {
    const own = imagingSeries({ numberOfInstances: undefined, endpoint: [{ reference: 'Endpoint/pacs' }] });
    const study = imagingStudy({ numberOfInstances: undefined, numberOfSeries: undefined, series: [own] });
    expect((await reason({ study }))[0]).toBe('study-incomplete');
  });

  it('DW-26: where none fits, and it is said how many do not by which rule', async () => {
    pacs.objects.push(
      radiograph({ SOPInstanceUID: '1.2.3.4.9', ImageType: ['DERIVED', 'PRIMARY'], ViewPosition: 'PA' }),
    );
    const study = imagingStudy({ numberOfInstances: 2, series: [imagingSeries({ numberOfInstances: 2 })] });
    expect(await reason({ study, definition: { images: { view: ['PA'] } } })).toEqual([
      'no-matching-image',
      'chest radiograph: none of the 2 objects of the study fits (1 by view position, 1 excluded as derived)',
    ]);
  });

  it('where several fit', async () => {
    pacs.objects.push(radiograph({ SOPInstanceUID: '1.2.3.4.9' }));
    const study = imagingStudy({ numberOfInstances: 2, series: [imagingSeries({ numberOfInstances: 2 })] });
    expect((await reason({ study }))[0]).toBe('several-images');
  });

  it('that contradicts itself, also where the pixels do; one that is not asked for may', async () => {
    pacs.objects.splice(0, 1, radiograph({ BitsStored: 17 }));
    expect((await reason())[0]).toBe('image-damaged');
    const half = radiograph();
    pacs.objects.splice(0, 1, { ...half, frames: [half.frames[0]?.subarray(0, 6) ?? new Uint8Array()] });
    expect((await reason())[0]).toBe('image-damaged');
    pacs.objects.splice(
      0,
      1,
      radiograph(),
      radiograph({ SOPInstanceUID: '1.2.3.4.9', Modality: 'CT', BitsStored: 17 }),
    );
    const study = imagingStudy({ numberOfInstances: 2, series: [imagingSeries({ numberOfInstances: 2 })] });
    expect((await reason({ study }))[0]).toBe('read');
  });

  it('that is larger than what is read, before a frame of it is fetched', async () => {
    pacs.objects.splice(0, 1, radiograph({ Rows: 16_384, Columns: 16_384 }));
    expect((await reason())[0]).toBe('image-too-large');
    pacs.objects.splice(0, 1, radiograph({ NumberOfFrames: 51 }, Array(6 * 51).fill(1)));
    expect((await reason({ definition: { take: 'stack' } }))[0]).toBe('image-too-large');
    expect(pacs.requests.filter((path) => path.includes('/frames/'))).toEqual([]);
    pacs.objects.splice(0, 1, radiograph());
    expect((await reason({ parts: { limits: { frames: 50, objectBytes: 1e6, studyBytes: 11 } } }))[0]).toBe(
      'image-too-large',
    );
  });

  it('in colours that the server made and does not name', async () => {
    const colour = { SamplesPerPixel: 3, PhotometricInterpretation: 'YBR_FULL', PlanarConfiguration: 0 };
    const bits = { BitsAllocated: 8, BitsStored: 8, HighBit: 7 };
    pacs.objects.splice(0, 1, radiograph({ ...colour, ...bits }));
    pacs.intercept = (request, response) => {
      if (!String(request.headers.accept).endsWith('transfer-syntax=*')) return false;
      response.writeHead(406).end();
      return true;
    };
    expect((await reason())[0]).toBe('image-unsupported');
  });
});

describe('colours that come uncompressed', () => {
  const ybr = { SamplesPerPixel: 3, PhotometricInterpretation: 'YBR_FULL', PlanarConfiguration: 0 };
  const rgb = { ...ybr, PhotometricInterpretation: 'RGB' };
  const bits = { BitsAllocated: 8, BitsStored: 8, HighBit: 7 };
  const [little, jpeg] = ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2.4.50'];

  const [resample] = plainRadiograph.preprocess;
  const gray = { step: 'channels' as const, as: 'gray' as const, place: 'none' as const, colour: 'luma' as const };
  const definition = { preprocess: [...(resample ? [resample] : []), gray] };

  it.each([
    ['YBR, which does not say how it is stored', ybr, 'image-unsupported', 'not say that it is stored so'],
    [
      'YBR, which is stored as JPEG',
      { ...ybr, AvailableTransferSyntaxUID: jpeg },
      'image-unsupported',
      'not say that it is stored so',
    ],
    [
      'YBR, which can be had so and as JPEG',
      { ...ybr, AvailableTransferSyntaxUID: [little, jpeg] },
      'image-unsupported',
      'not say that it is stored so',
    ],
    [
      'RGB plane by plane, stored as JPEG',
      { ...rgb, PlanarConfiguration: 1 },
      'image-unsupported',
      'not say that it is stored so',
    ],
    ['RGB pixel by pixel', rgb, 'read', 'the only image'],
    ['YBR, which is stored so', { ...ybr, AvailableTransferSyntaxUID: little }, 'read', 'the only image'],
  ])(
    'DW-14: are never taken for others than the server may have made, whatever was asked of it: %s',
    async (_, of, is, said) => {
      const stated = radiograph({ ...of, ...bits });
      pacs.objects.splice(0, 1, { ...stated, frames: [new Uint8Array(18).fill(200)] });
      expect(await reason({ definition })).toEqual([is, expect.stringContaining(said)]);
    },
  );
});

describe('what a model made of a study and sent there', () => {
  /** A map that would take whatever there is. */
  const greedy = { study: { modality: ['DX', 'OT', 'SR'], window: 'P2D' }, exclude: [] };
  const listed = imagingStudy({ series: undefined });
  const uncounted = imagingStudy({ numberOfInstances: undefined, numberOfSeries: undefined, series: undefined });

  function sendResults(): void {
    const origin = resultOrigin({ source: (pacs.objects[0] ?? radiograph()).dataset });
    const picture = { rows: 2, columns: 3, channels: 1, data: new Uint8Array(6).fill(200) } as const;
    for (const file of [
      secondaryCapture(origin, { title: 'What moved the score', number: 1, lossy: false, picture }),
      comprehensiveReport(origin, reportContent),
    ]) {
      const { dataset: sent, frames, transferSyntaxUid } = readPart10(file);
      pacs.objects.push({ dataset: unpadded(sent), frames, transferSyntaxUid });
    }
  }

  it.each([
    ['as it was', imagingStudy()],
    ['without a list of series, counted as it was', listed],
    ['without a list of series, counted as it is', { ...listed, numberOfSeries: 3, numberOfInstances: 3 }],
  ])('is never read again: its ImagingStudy is %s', async (_, study) => {
    const before = await read({ definition: greedy });
    sendResults();
    const after = await read({ definition: greedy, study });
    if (before.state === 'missing' || after.state === 'missing') throw new Error(JSON.stringify([before, after]));
    expect([after.digest, after.images]).toEqual([before.digest, before.images]);
  });

  it('says nothing of whose study it is: the images of the scanner say it, and prove it by another number of the patient', async () => {
    const item = dataset({ PatientID: '4711', IssuerOfPatientID: 'NORTH' });
    const numbers = { PatientID: '9', IssuerOfPatientID: 'PACS', OtherPatientIDsSequence: [item] };
    pacs.objects.splice(0, 1, radiograph(numbers));
    sendResults();
    // As an archive has them that keeps no such sequence.
    for (const [index, { dataset: sent, ...object }] of pacs.objects.entries()) {
      const { '00101002': _, ...bare } = sent;
      if (index > 0) pacs.objects[index] = { ...object, dataset: bare };
    }
    expect((await reason({ definition: greedy }))[0]).toBe('read');
    pacs.objects.push(radiograph({ ...numbers, SOPInstanceUID: '1.2.3.4.1.2', OtherPatientIDsSequence: undefined }));
    expect((await reason({ definition: greedy }))[0]).toBe('study-of-another-patient');
  });

  it('is told by its maker too, where an archive has named its series anew', async () => {
    sendResults();
    for (const [index, { dataset: sent, ...object }] of pacs.objects.entries())
      if (index > 0)
        pacs.objects[index] = { ...object, dataset: { ...sent, ...dataset({ SeriesDescription: 'Series 9' }) } };
    expect(await tensor({ definition: greedy })).toHaveLength(6);
  });

  it.each(['/metadata', '?StudyInstanceUID'])(
    'DW-16: is not taken for images to come where it arrives before the request for %s',
    async (at) => {
      let seen = 0;
      pacs.intercept = ({ url = '' }) => {
        if (url.includes(at) && seen++ === (at === '/metadata' ? 1 : 0)) sendResults();
        return false;
      };
      expect((await reason({ definition: greedy, study: uncounted }))[0]).toBe('read');
    },
  );

  it('DW-16: hides no image that arrives with it', async () => {
    let seen = 0;
    pacs.intercept = ({ url = '' }) => {
      if (url.includes('?StudyInstanceUID') && seen++ === 0) {
        sendResults();
        pacs.objects.push(radiograph({ SOPInstanceUID: '1.2.3.4.1.2' }));
      }
      return false;
    };
    expect((await reason({ definition: greedy, study: uncounted }))[0]).toBe('study-incomplete');
  });

  it('takes the place of no image that is still to come', async () => {
    sendResults();
    const study = { ...listed, numberOfSeries: 2, numberOfInstances: 2 };
    expect((await reason({ definition: greedy, study }))[0]).toBe('study-incomplete');
    pacs.objects.shift();
    expect(await reason({ definition: greedy })).toEqual([
      'study-incomplete',
      expect.stringContaining('no object of the study'),
    ]);
  });
});

describe('what others added to a study', () => {
  const bare = imagingStudy({ series: undefined });
  const definition: Partial<ImageDefinition> = { exclude: ['derived', 'secondary-capture'] };
  const added = (changes: Parameters<typeof radiograph>[0]) =>
    radiograph({ SeriesInstanceUID: '1.2.3.4.8', SOPInstanceUID: '1.2.3.4.8.1', ...changes });
  const capture = added({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.7' });
  const document = added({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.33',
    SOPInstanceUID: '1.2.3.4.8.2',
    Modality: 'SR',
    Rows: undefined,
    Columns: undefined,
    BitsAllocated: undefined,
  });

  it.each([
    ['a secondary capture of the same modality', [capture]],
    ['a structured report', [document]],
    ['both', [capture, document]],
  ])('DW-16: does not make it incomplete: %s', async (_, objects) => {
    pacs.objects.push(...objects);
    expect((await reason({ definition, study: imagingStudy() }))[0]).toBe('read');
    expect((await reason({ definition, study: bare }))[0]).toBe('read');
  });

  it('DW-16: may be read where the feature map does not exclude it, and is waited for then', async () => {
    pacs.objects.push(capture);
    expect(await reason()).toEqual(['study-incomplete', expect.stringContaining('1 series of images')]);
  });
});

describe('trouble with an image server is an error, never a reason', () => {
  it.each([
    ['HTML', 200, 'text/html', '<html>'],
    ['a failure', 500, 'text/plain', 'broken'],
    ['half of the metadata', 200, 'application/dicom+json', '[{"00080018":'],
  ] as const)('%s', async (_, status, type, body) => {
    pacs.intercept = (_request, response) => {
      response.writeHead(status, { 'content-type': type }).end(body);
      return true;
    };
    await expect(read()).rejects.toMatchObject({ code: 'IMAGES_UNREACHABLE' });
  });

  it('and whoever gives up is let go', async () => {
    const stop = new AbortController();
    pacs.intercept = () => {
      stop.abort();
      return true;
    };
    await expect(read({ options: { signal: stop.signal } })).rejects.toMatchObject({ code: 'IMAGES_UNREACHABLE' });
  });
});

describe('TM-4: the memory of all images together', () => {
  it('is asked for before a pixel is fetched, and one that needs more than there is is a reason with both figures', async () => {
    const memory = createImageMemory(1_000_000);
    const [because, detail] = await reason({ parts: { memory } });
    expect(because).toBe('image-too-large');
    expect(detail).toMatch(
      /^chest radiograph: the images need 4 MB of memory; .* have 1 MB \(limits\.memoryMb of IMAGING_FILE\)$/,
    );
    expect(pacs.requests.filter((path) => path.includes('/frames/'))).toEqual([]);
    expect(memory.free).toBe(1_000_000);
  });

  it('is not waited for where no image can be read: the reason is said at once, whoever has it all', async () => {
    const stop = new AbortController();
    const memory = createImageMemory(1e9);
    await memory.take(1e9);
    const waiting = memory.take(1, { signal: stop.signal });
    expect((await reason({ parts: { memory }, study: imagingStudy({ status: 'registered' }) }))[0]).toBe(
      'study-incomplete',
    );
    pacs.objects.splice(0, 1, radiograph({ PatientID: '4712' }));
    expect((await reason({ parts: { memory } }))[0]).toBe('study-of-another-patient');
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('is had by a bedside before a run that waits for it already', async () => {
    const memory = createImageMemory(1e9);
    const before = await memory.take(1e9);
    const order: string[] = [];
    const waits = async (lane: 'front' | 'back'): Promise<{ reading: Promise<unknown> }> => {
      const asked = Promise.withResolvers<void>();
      const take: typeof memory.take = async (...what) => {
        asked.resolve();
        const share = await memory.take(...what);
        order.push(lane);
        return share;
      };
      const reading = read({ parts: { memory: { bytes: memory.bytes, take } }, options: { lane } });
      await asked.promise;
      return { reading };
    };
    const run = await waits('back');
    const bedside = await waits('front');
    before.keep(0);
    await Promise.all([run.reading, bedside.reading]);
    expect(order).toEqual(['front', 'back']);
  });

  it('is given back with the reading, but for its tensor and the copy that its model is sent where somebody holds on to that', async () => {
    const memory = createImageMemory(1e9);
    await tensor({ parts: { memory } });
    expect(memory.free).toBe(1e9);
    let release = (): void => undefined;
    await tensor({ parts: { memory }, options: { hold: (held) => (release = held) } });
    // Six numbers twice, and room for the preview.
    expect(1e9 - memory.free).toBe(2 * 6 * 4 + 3 * 1024 * 1024);
    release();
    expect(memory.free).toBe(1e9);
  });

  it('is held for what a model is shown without each patch too, and for the copy of that, whatever its pixels needed', async () => {
    const memory = createImageMemory(1e9);
    const preprocess: ImageDefinition['preprocess'] = [
      { step: 'resample', size: [700, 700], method: 'nearest', antialias: false },
      { step: 'channels', as: 'gray', place: 'none' },
    ];
    const held: number[] = [];
    for (const isOccluded of [false, true]) {
      const hold = (release: () => void): void => {
        held.push(1e9 - memory.free);
        release();
      };
      await tensor({ parts: { memory }, definition: { preprocess }, isOccluded, options: { hold } });
    }
    const [bytes, preview] = [700 * 700 * 4, 3 * 1024 * 1024];
    expect(held).toEqual([2 * bytes + preview, 3 * bytes + preview]);
    const needed = { parts: { memory: createImageMemory(3 * bytes + preview - 1) }, definition: { preprocess } };
    expect((await reason({ ...needed, isOccluded: true }))[0]).toBe('image-too-large');
  });

  it.each([
    ['fails', (response: ServerResponse) => response.destroy()],
    ['is given up', (_: ServerResponse, stop: AbortController) => stop.abort()],
    [
      'is damaged',
      (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/octet-stream' }).end('half'),
    ],
  ])('is given back by a reading that %s', async (_, happens) => {
    const memory = createImageMemory(1e9);
    const stop = new AbortController();
    const free: number[] = [];
    pacs.intercept = ({ url = '' }, response) => {
      if (!url.includes('/frames/')) return false;
      free.push(memory.free);
      happens(response, stop);
      return true;
    };
    await read({ parts: { memory }, options: { signal: stop.signal } }).catch(() => undefined);
    await expect.poll(() => memory.free).toBe(1e9);
    expect(free[0]).toBeLessThan(1e9);
  });

  it('lets no frame in that is larger than an image of its rows and columns is', async () => {
    const memory = createImageMemory(1e9);
    pacs.objects.splice(0, 1, { ...radiograph(), frames: [new Uint8Array(100_000)] });
    expect(await reason({ parts: { memory } })).toEqual([
      'image-too-large',
      expect.stringContaining('larger than the 65551 bytes that an image of its rows and columns has'),
    ]);
  });
});
