import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { ImagingStudy, OperationOutcome, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DicomJson } from '../../src/imaging/dicom/dicom-json.ts';
import { readPart10 } from '../../src/imaging/dicom/read-part10.ts';
import { ImageFault } from '../../src/imaging/image-fault.ts';
import { dataset } from '../imaging/support/dataset.ts';
import { imagingSeries, imagingStudy, wadoEndpoint } from '../support/build-imaging-study.ts';
import { casesDir, casesPresent, readCsv } from '../support/cases.ts';
import { type FakePacs, type KeptObject, startFakePacs } from '../support/fake-pacs.ts';
import { imageAndLaboratoryFolder } from '../support/image-and-laboratory.ts';
import { chessboard, imageRisk } from '../support/image-model.ts';
import type { ModelFolder } from '../support/model-folder.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

const identifiers = 'https://example.org/patients';
const started = new Date(Date.now() - 3_600_000).toISOString();

let pacs: FakePacs;
let folder: ModelFolder;
let settings: string;
let server: StartedFhirsight;

beforeAll(async () => {
  pacs = await startFakePacs();
  folder = await imageAndLaboratoryFolder();
  settings = await mkdtemp(path.join(tmpdir(), 'fhirsight-images-'));
  const file = path.join(settings, 'imaging.json');
  const imaging = {
    servers: { pacs: { url: pacs.base } },
    // Memory for nine predictions at a time: each needs 3.2 MB, most of it for its preview.
    limits: { timeoutMs: 1_000, objectMb: 20, memoryMb: 30 },
    quietPeriodSeconds: 0,
    patientIdentifiers: [{ issuer: 'NORTH', system: identifiers }],
  };
  await writeFile(file, JSON.stringify(imaging));
  server = await startFhirsight({ settings: { IMAGING_FILE: file, MODELS_DIR: folder.modelsDir } });
  await put({ resourceType: 'Patient', id: '1', identifier: [{ system: identifiers, value: '4711' }] });
  await put({
    resourceType: 'Observation',
    id: 'creatinine',
    status: 'final',
    subject: { reference: 'Patient/1' },
    code: { coding: [{ system: 'http://loinc.org', code: '14682-9' }] },
    effectiveDateTime: started,
    valueQuantity: { value: 95, unit: 'umol/L', system: 'http://unitsofmeasure.org', code: 'umol/L' },
  });
  await put(wadoEndpoint({ address: pacs.base }));
});

afterAll(async () => {
  await server?.close();
  await pacs.close();
  await folder?.[Symbol.asyncDispose]();
  await rm(settings, { recursive: true, force: true });
});

beforeEach(async () => {
  pacs.intercept = () => false;
  pacs.objects.splice(0, pacs.objects.length, picture());
});

async function put(resource: Resource): Promise<void> {
  const answer = await fetch(`${server.fhir}/${resource.resourceType}/${resource.id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(resource),
  });
  expect([200, 201], await answer.text()).toContain(answer.status);
}

/** A radiograph of a chessboard of eight by eight fields, black and white in 12 bits, of Patient/1. */
function picture(changes: Parameters<typeof dataset>[0] = {}, frame?: Uint8Array): KeptObject {
  const values = Uint16Array.from(chessboard, (each) => each * 4095);
  return {
    frames: [frame ?? new Uint8Array(values.buffer)],
    dataset: dataset({
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
      SOPInstanceUID: '1.2.3.4.1.1',
      StudyInstanceUID: '1.2.3.4',
      SeriesInstanceUID: '1.2.3.4.1',
      Modality: 'DX',
      ViewPosition: 'PA',
      PatientID: '4711',
      IssuerOfPatientID: 'NORTH',
      Rows: 8,
      Columns: 8,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      WindowCenter: 2048,
      WindowWidth: 4096,
      ...changes,
    }),
  };
}

/** Stores the study and asks about its patient. */
async function predict(study = imagingStudy({ started })): Promise<{ status: number; body: Resource }> {
  await put(study);
  return await ask(study.subject.reference ?? '');
}

async function ask(subject: string): Promise<{ status: number; body: Resource }> {
  const answer = await fetch(`${server.fhir}/${subject}/$predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'model', valueString: 'pce-2013' }] }),
  });
  return { status: answer.status, body: (await answer.json()) as Resource };
}

async function outcomeOf(study?: ImagingStudy): Promise<{ status: number; said: string }> {
  const { status, body } = await predict(study);
  expect(body.resourceType).toBe('OperationOutcome');
  return { status, said: JSON.stringify((body as OperationOutcome).issue) };
}

const risk = imageRisk(chessboard, [8, 8], 95);
async function expectRisk(): Promise<void> {
  const { status, body } = await predict();
  expect(status, JSON.stringify(body)).toBe(200);
  const [prediction] = (body as RiskAssessment).prediction ?? [];
  expect((prediction?.probabilityDecimal ?? 0) / 100).toBeCloseTo(risk, 5);
}

describe('TM-4: a model of pixels and a value of the laboratory', () => {
  it('reads both in one call, and its score is the one that was worked out in doubles', async () => {
    await expectRisk();
  });

  it('says of which study and which value it was made', async () => {
    const { basis } = (await predict()).body as RiskAssessment;
    const references = basis?.map(({ reference }) => reference ?? '') ?? [];
    expect(references.some((each) => each.startsWith('ImagingStudy/s1/_history/'))).toBe(true);
    expect(references.some((each) => each.startsWith('Observation/creatinine/_history/'))).toBe(true);
  });

  it('is asked by 24 at once, of whom nine have memory for their images, and all have their score', async () => {
    await put(imagingStudy({ started }));
    const answers = await Promise.all(Array.from({ length: 24 }, () => ask('Patient/1')));
    for (const { status, body } of answers) {
      expect(status, JSON.stringify(body)).toBe(200);
      expect(((body as RiskAssessment).prediction?.[0]?.probabilityDecimal ?? 0) / 100).toBeCloseTo(risk, 5);
    }
  });

  it('abstains where its images need more memory than there is, before one is fetched', async () => {
    const frames: string[] = [];
    pacs.intercept = ({ url = '' }) => {
      if (url.includes('/frames/')) frames.push(url);
      return false;
    };
    pacs.objects.splice(0, 1, picture({ Rows: 1024, Columns: 1024 }));
    const { status, said } = await outcomeOf();
    expect([status, said]).toEqual([
      422,
      expect.stringMatching(/need \d+ MB of memory; all that are read at once have 30 MB/),
    ]);
    expect(frames).toEqual([]);
  });

  it('abstains where the pixels are there and the value is not', async () => {
    await put({ resourceType: 'Patient', id: '2', identifier: [{ system: identifiers, value: '4712' }] });
    pacs.objects.splice(0, 1, picture({ PatientID: '4712', StudyInstanceUID: '1.2.3.5' }));
    const identifier = [{ system: 'urn:dicom:uid', value: 'urn:oid:1.2.3.5' }];
    const study = imagingStudy({ id: 's2', started, subject: { reference: 'Patient/2' }, identifier });
    const { status, said } = await outcomeOf(study);
    expect([status, said]).toEqual([422, expect.stringContaining('Creatinine')]);
  });
});

const multipart = 'multipart/related; type="application/octet-stream"; boundary=b';
const partOf = (syntax: string): string =>
  `--b\r\nContent-Type: application/octet-stream; transfer-syntax=${syntax}\r\n\r\n`;
const explicitLittleEndian = '1.2.840.10008.1.2.1';
const isFrames = ({ url = '' }: IncomingMessage): boolean => url.includes('/frames/');

/** Answers requests for frames in the place of the PACS. */
const framesAre = (does: (response: ServerResponse) => void) => (): void => {
  pacs.intercept = (request, response) => {
    if (!isFrames(request)) return false;
    does(response);
    return true;
  };
};
const sends = (type: string, body: string) =>
  framesAre((response) => {
    response.writeHead(200, { 'content-type': type }).end(body);
  });

interface BadInput {
  readonly what: string;
  /** What the PACS does or has. */
  readonly given?: () => void;
  readonly study?: ImagingStudy;
  readonly status: number;
  readonly says: string;
}

const keeps = (changes: Parameters<typeof dataset>[0], frame?: Uint8Array, transferSyntaxUid?: string) => (): void => {
  const kept = picture(changes, frame);
  pacs.objects.splice(0, 1, transferSyntaxUid === undefined ? kept : { ...kept, transferSyntaxUid });
};

const { endpoint: _, ...withoutEndpoint } = imagingStudy({ started });

const badInputs: readonly BadInput[] = [
  { what: 'DW-3: a study without an Endpoint', study: withoutEndpoint, status: 422, says: 'no-image-source' },
  {
    what: 'DW-4: an Endpoint that is not listed',
    study: imagingStudy({
      started,
      endpoint: [{ reference: '#other' }],
      contained: [wadoEndpoint({ id: 'other', address: 'http://127.0.0.1:9/dicom-web' })],
    }),
    status: 422,
    says: 'no-image-source',
  },
  {
    what: 'an image server that hangs',
    given: () => {
      pacs.intercept = () => true;
    },
    status: 504,
    says: 'did not answer completely within 1000 ms',
  },
  {
    what: 'an image server that hangs within a part',
    given: framesAre((response) => {
      response.writeHead(200, { 'content-type': multipart }).write(`${partOf(explicitLittleEndian)}half`);
    }),
    status: 504,
    says: 'did not answer completely within 1000 ms',
  },
  {
    what: 'DW-14: an image server that lies about the transfer syntax',
    given: keeps({}, undefined, '1.2.840.10008.1.2.4.80'),
    status: 422,
    says: 'image-damaged',
  },
  { what: 'an image server that sends HTML', given: sends('text/html', '<html>'), status: 503, says: 'text/html' },
  {
    what: 'an image server that sends HTML as a frame',
    given: sends(multipart, '--b\r\nContent-Type: text/html\r\n\r\n<html>\r\n--b--\r\n'),
    status: 503,
    says: 'a part of text/html',
  },
  {
    what: 'an image server that sends half a part',
    given: sends(multipart, `${partOf(explicitLittleEndian)}half`),
    status: 503,
    says: 'broke off in the middle',
  },
  {
    what: 'an image server that sends 5 GB',
    given: framesAre((response) => {
      response.writeHead(200, { 'content-type': multipart }).write(partOf(explicitLittleEndian));
      Readable.from(megabytes(5_000)).pipe(response);
    }),
    status: 422,
    says: 'image-too-large',
  },
  {
    what: 'an object without pixels',
    given: keeps({ Rows: undefined, Columns: undefined, BitsAllocated: undefined, SamplesPerPixel: undefined }),
    status: 422,
    says: 'no-matching-image',
  },
  {
    what: 'an object that contradicts itself',
    given: keeps({ BitsStored: 17 }),
    status: 422,
    says: 'image-damaged',
  },
  {
    what: 'a JPEG that is cut off',
    given: keeps(
      { BitsAllocated: 8, BitsStored: 8, HighBit: 7 },
      Uint8Array.of(0xff, 0xd8, 0xff),
      '1.2.840.10008.1.2.4.50',
    ),
    status: 422,
    says: 'image-damaged',
  },
  { what: 'an image of which half is there', given: keeps({}, new Uint8Array(64)), status: 422, says: 'image-damaged' },
  {
    what: 'an image of 16,384 × 16,384 pixels',
    given: keeps({ Rows: 16_384, Columns: 16_384 }),
    status: 422,
    says: 'image-too-large',
  },
  {
    what: 'a study of another patient',
    given: keeps({ PatientID: '4712' }),
    status: 422,
    says: 'study-of-another-patient',
  },
  {
    what: 'a count of frames that disagrees with what is sent',
    given: sends(
      multipart,
      `${partOf(explicitLittleEndian)}${'x'.repeat(128)}\r\n${partOf(explicitLittleEndian)}${'x'.repeat(128)}\r\n--b--\r\n`,
    ),
    status: 503,
    says: 'more parts than were asked for',
  },
  {
    what: 'a count of objects that disagrees with the study',
    study: imagingStudy({ started, numberOfInstances: 2, series: [imagingSeries({ numberOfInstances: 2 })] }),
    status: 422,
    says: 'study-incomplete',
  },
];

function* megabytes(count: number): Generator<Buffer> {
  const megabyte = Buffer.alloc(1_000_000, 0x41);
  for (let sent = 0; sent < count; sent++) yield megabyte;
}

describe('bad input of images over HTTP', () => {
  it.each(badInputs)('$what is a named error or abstention, and the next is predicted', async (bad) => {
    const before = process.memoryUsage().rss;
    bad.given?.();
    const { status, said } = await outcomeOf(bad.study);
    expect([status, said]).toEqual([bad.status, expect.stringContaining(bad.says)]);
    expect(said).not.toContain('4711');
    expect(process.memoryUsage().rss - before).toBeLessThan(500_000_000);
    pacs.intercept = () => false;
    pacs.objects.splice(0, 1, picture());
    await expectRisk();
  });
});

describe.runIf(casesPresent)('malformed files of the cases over HTTP', () => {
  const bytesOf = (file: string): Uint8Array => readFileSync(path.join(casesDir, 'dicom', file));
  /** As the study of Patient/1 that is asked for, whatever else it says of itself. */
  const keepsAsOurs = (data: DicomJson, frames: readonly Uint8Array[], transferSyntaxUid?: string): void => {
    const ours = picture({ ImageType: ['ORIGINAL', 'PRIMARY'] }).dataset;
    const identity = [
      '00080008',
      '00080016',
      '00080018',
      '0020000D',
      '0020000E',
      '00080060',
      '00185101',
      '00100020',
      '00100021',
    ];
    const changed = Object.fromEntries(identity.flatMap((tag) => (ours[tag] === undefined ? [] : [[tag, ours[tag]]])));
    const kept = { dataset: { ...data, ...changed }, frames };
    pacs.objects.splice(0, 1, transferSyntaxUid === undefined ? kept : { ...kept, transferSyntaxUid });
  };
  const reasonOf = async (): Promise<string> => {
    const { status, said } = await outcomeOf();
    expect(status, said).toBe(422);
    return /image-damaged|image-unsupported|several-images|no-matching-image/.exec(said)?.[0] ?? said;
  };

  it('DW-20: MR_truncated.dcm, whose pixels end too early, is an image that is damaged', async () => {
    const { dataset: whole, transferSyntaxUid } = readPart10(bytesOf('files/MR_small.dcm'));
    const cut = Buffer.from(bytesOf('files/MR_truncated.dcm'));
    const pixels = cut.indexOf(Buffer.of(0xe0, 0x7f, 0x10, 0x00)) + 12;
    keepsAsOurs(whole, [Uint8Array.from(cut.subarray(pixels))], transferSyntaxUid);
    expect(await reasonOf()).toBe('image-damaged');
  });

  it('nested_priv_SQ.dcm, which has no pixels and no end, is none as a frame', async () => {
    keepsAsOurs(picture().dataset, [Uint8Array.from(bytesOf('files/nested_priv_SQ.dcm'))], '1.2.840.10008.1.2');
    expect(await reasonOf()).toBe('image-damaged');
  });

  const coded = casesPresent
    ? readCsv('dicom/files_expected.csv').filter(({ n_decoders_ok: ok }) => Number(ok) > 0)
    : [];
  it.each(coded.map(({ file, frames }) => [file as string, Number(frames)] as const))(
    'DW-20: of %s the half is no image',
    async (file, count) => {
      if (file === 'MR_truncated.dcm') return;
      const { dataset: data, frames, transferSyntaxUid } = readPart10(bytesOf(`files/${file}`));
      keepsAsOurs(
        data,
        frames.map((frame) => frame.slice(0, frame.length / 2)),
        transferSyntaxUid,
      );
      expect(await reasonOf()).toBe(count > 1 ? 'several-images' : 'image-damaged');
    },
  );

  const withoutPixels = casesPresent ? readdirSync(path.join(casesDir, 'dicom/no_pixels')) : [];
  it.each(withoutPixels)('%s, which has no pixels, is no image', async (file) => {
    let data: DicomJson = {};
    try {
      data = readPart10(bytesOf(`no_pixels/${file}`)).dataset;
    } catch (error) {
      // What no PACS could read it knows nothing of.
      if (!(error instanceof ImageFault)) throw error;
    }
    keepsAsOurs(data, []);
    expect(await reasonOf()).toBe('no-matching-image');
  });

  it('and the next is predicted', async () => {
    await expectRisk();
  });
});
