import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DicomJson } from '../../src/imaging/dicom/dicom-json.ts';
import { readImageAttributes } from '../../src/imaging/dicom/image-attributes.ts';
import { readPixelForm } from '../../src/imaging/dicom/pixel-form.ts';
import { readPart10 } from '../../src/imaging/dicom/read-part10.ts';
import { createImageSources } from '../../src/imaging/dicomweb/create-image-sources.ts';
import type { ImageSource, ImageSources, ObjectAddress } from '../../src/imaging/dicomweb/image-sources.ts';
import { decodeFrame } from '../../src/imaging/pixels/decode-frame.ts';
import type { StoredFrame } from '../../src/imaging/pixels/stored-frame.ts';
import { transferSyntax } from '../../src/imaging/pixels/transfer-syntaxes.ts';
import { statisticsOf } from '../imaging/support/pixel-statistics.ts';
import { casesDir, readCsv } from '../support/cases.ts';
import { outboundTo } from '../support/outbound-to.ts';
import { type Orthanc, startOrthanc } from '../support/start-orthanc.ts';
import { all } from '../support/stub-image-server.ts';

let orthanc: Orthanc;
let sources: ImageSources;
let pacs: ImageSource;
beforeAll(async () => {
  orthanc = await startOrthanc();
  sources = sourcesWith(orthanc.password);
  pacs = sources.sourceFor(`${orthanc.base}/studies/`) as ImageSource;
});
afterAll(async () => {
  await sources.close();
  await orthanc.stop();
  // Who decoded what: a reader of the log sees it file by file.
  process.stdout.write(`${['file', 'transfer syntax', 'read from', 'decoded by'].join(' | ')}\n`);
  for (const line of decoded) process.stdout.write(`${line.join(' | ')}\n`);
});

/** Of each file: its syntax, where its pixels were read from, and who decoded them. */
const decoded: string[][] = [];

function sourcesWith(password: string): ImageSources {
  const { base, user } = orthanc;
  const server = { url: base, endpoints: [], allowPlainHttp: false, connections: 2, user, passwordVariable: 'PACS' };
  const limits = {
    timeoutMs: 20_000,
    objectBytes: 10_000_000,
    metadataBytes: 10_000_000,
    studyBytes: 10_000_000,
    memoryBytes: 1_000_000_000,
    frames: 10,
  };
  return createImageSources(
    { servers: { pacs: server }, default: 'pacs', limits },
    { outbound: outboundTo(base), readVariable: (name) => (name === 'PACS' ? password : undefined) },
  );
}

const read = (file: string): Uint8Array => readFileSync(path.join(casesDir, 'dicom', file));

/** Stores a file in Orthanc, alone; undefined where Orthanc refuses it. */
async function stored(file: Uint8Array): Promise<DicomJson | undefined> {
  await orthanc.empty();
  const told = await pacs.store([file]).catch((error: Error) => error.message);
  if (typeof told === 'string') {
    expect(told).toContain('refused the request (400)');
    return undefined;
  }
  expect([told.stored.length, told.refused]).toEqual([1, []]);
  const [study] = (await (await orthanc.ask('GET', '/studies?expand')).json()) as {
    MainDicomTags: Record<string, string>;
  }[];
  const uid = study?.MainDicomTags.StudyInstanceUID ?? '';
  const found = await all(pacs.studyMetadata(uid));
  expect(await pacs.countInstances(uid)).toBe(1);
  expect(await all(pacs.searchInstances(uid))).toHaveLength(1);
  expect(found).toHaveLength(1);
  return found[0];
}

const addressOf = (dataset: DicomJson): ObjectAddress => {
  const { studyInstanceUid: study, seriesInstanceUid: series, sopInstanceUid: instance } = readImageAttributes(dataset);
  return { study, series, instance };
};

/** Every frame of a file: out of Orthanc as it is stored there, else from disk. Says in the report which. */
async function framesOf(file: string, syntax: string): Promise<{ frames: StoredFrame[]; lossy: boolean }> {
  const dataset = await stored(read(file));
  const lossy = transferSyntax(syntax)?.lossy === true;
  if (dataset === undefined) {
    decoded.push([file, syntax, 'disk (Orthanc refuses the object)', 'fhirsight']);
    return { frames: framesOfFile(read(file)), lossy };
  }
  const form = readPixelForm(dataset);
  if (form === undefined) throw new Error('no pixels');
  const frameNumbers = Array.from({ length: form.frames }, (_, index) => index + 1);
  const found = await all(pacs.frames({ ...addressOf(dataset), frameNumbers, transferSyntax: 'stored' }));
  const ours = found.every(({ asked }) => asked === 'stored');
  const frames = found.map(({ transferSyntaxUid, bytes }) => decodeFrame({ form, transferSyntaxUid, bytes }));
  if (!ours) {
    // The whole object comes as it is stored: what Orthanc has decoded is what our decoder makes of it.
    expect(framesOfFile(await pacs.instance(addressOf(dataset)))).toEqual(frames);
  }
  const by = ours
    ? 'fhirsight'
    : 'Orthanc (frames, uncompressed at our request) and fhirsight (the whole object): equal';
  decoded.push([file, syntax, 'Orthanc over WADO-RS', by]);
  if (ours) expect(new Set(found.map(({ transferSyntaxUid }) => transferSyntaxUid))).toEqual(new Set([syntax]));
  return { frames, lossy };
}

function framesOfFile(file: Uint8Array): StoredFrame[] {
  const { dataset, transferSyntaxUid, frames } = readPart10(file);
  const form = readPixelForm(dataset);
  if (form === undefined) throw new Error('no pixels');
  return frames.map((bytes) => decodeFrame({ form, transferSyntaxUid, bytes }));
}

describe('the case files, each stored in an emptied Orthanc and fetched as it is stored', () => {
  const rows = readCsv('dicom/files_expected.csv').filter(({ n_decoders_ok }) => Number(n_decoders_ok) > 0);
  const whole = rows.filter(({ file }) => file !== 'MR_truncated.dcm');

  it.each(whole.map((row) => [row.file as string, row.ts_name as string, row]))(
    'DW-11 DW-20: %s (%s) has the pixels that other decoders give',
    async (file, _, row) => {
      const { frames, lossy } = await framesOf(`files/${file}`, row.transfer_syntax as string);
      const found = statisticsOf(frames);
      expect(found.type).toBe(row.ref_dtype);
      if (!lossy) expect(found.sha256).toBe(row.ref_sha256);
      expect(Math.abs(found.mean - Number(row.ref_mean))).toBeLessThanOrEqual(lossy ? 0.5 : 1e-4);
      expect(Math.abs(found.min - Number(row.ref_min))).toBeLessThanOrEqual(lossy ? 3 : 0);
      expect(Math.abs(found.max - Number(row.ref_max))).toBeLessThanOrEqual(lossy ? 3 : 0);
    },
  );

  it.each(readCsv('dicom/transcoded_expected.csv').map((row) => [row.file as string, row.ts_name as string, row]))(
    'DW-11 DW-20: %s (%s) has the pixels of what it was made of',
    async (file, _, row) => {
      const { frames, lossy } = await framesOf(`transcoded/${file}`, row.transfer_syntax as string);
      const found = statisticsOf(frames);
      const [min, max, mean] = (row.min_max_mean as string).split('/').map(Number) as [number, number, number];
      expect(lossy).toBe(row.lossless === '0');
      if (!lossy) expect(found.sha256).toBe(row.source_sha256);
      expect(Math.abs(found.mean - mean)).toBeLessThanOrEqual(lossy ? 0.5 : 1e-4);
      expect(Math.abs(found.min - min)).toBeLessThanOrEqual(lossy ? 3 : 0);
      expect(Math.abs(found.max - max)).toBeLessThanOrEqual(lossy ? 3 : 0);
    },
  );

  it.each([
    ['MR_truncated.dcm', '1.2.840.10008.1.2.1'],
    ['nested_priv_SQ.dcm', '1.2.840.10008.1.2'],
  ])('DW-20: %s is refused as damaged', async (file, syntax) => {
    await expect(framesOf(`files/${file}`, syntax)).rejects.toMatchObject({ because: 'image-damaged' });
  });

  it('DW-11: are for the most part decoded here, out of Orthanc', () => {
    const ours = decoded.filter(([, , from, by]) => from === 'Orthanc over WADO-RS' && by === 'fhirsight');
    expect(decoded).toHaveLength(30);
    expect(ours.length).toBeGreaterThanOrEqual(20);
  });
});

describe('an Orthanc', () => {
  it('DW-13: gives back the very file that was stored', async () => {
    const dataset = (await stored(read('files/SC_rgb_rle_2frame.dcm'))) as DicomJson;
    expect(Buffer.from(await pacs.instance(addressOf(dataset)))).toEqual(
      Buffer.from(read('files/SC_rgb_rle_2frame.dcm')),
    );
  });

  it('DW-11: gives one frame of several, and refuses one that is not there', async () => {
    const address = addressOf((await stored(read('files/SC_rgb_rle_2frame.dcm'))) as DicomJson);
    const encoded = readPart10(read('files/SC_rgb_rle_2frame.dcm')).frames;
    const [second, ...more] = await all(pacs.frames({ ...address, frameNumbers: [2], transferSyntax: 'stored' }));
    expect([second?.frame, Buffer.from(second?.bytes ?? []), more]).toEqual([2, Buffer.from(encoded[1] ?? []), []]);
    const third = all(pacs.frames({ ...address, frameNumbers: [3], transferSyntax: 'stored' }));
    await expect(third).rejects.toMatchObject({ code: 'IMAGES_UNREACHABLE' });
  });

  it('DW-15: gives the value that its metadata name by address', async () => {
    const dataset = (await stored(read('files/CT_small.dcm'))) as DicomJson;
    const uri = dataset['7FE00010']?.BulkDataURI ?? '';
    expect(uri).toContain(orthanc.base);
    const [pixels] = readPart10(read('files/CT_small.dcm')).frames;
    expect(Buffer.from(await pacs.bulkData(uri))).toEqual(Buffer.from(pixels ?? []));
  });

  it('DW-10 DW-15: names the tables of a palette by address, and they give the colours that the file has', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-palette-'));
    const [quantised, explicit] = [path.join(folder, 'quantised.dcm'), path.join(folder, 'explicit.dcm')];
    execFileSync('dcmquant', [path.join(casesDir, 'dicom/files/SC_rgb_jpeg_dcmd.dcm'), quantised]);
    execFileSync('dcmconv', ['+te', quantised, explicit]);
    const file = readFileSync(explicit);
    rmSync(folder, { recursive: true });
    const dataset = { ...(await stored(file)) };
    for (const tag of ['00281201', '00281202', '00281203']) {
      const { vr = 'OW', BulkDataURI: uri = '' } = dataset[tag] ?? {};
      dataset[tag] = { vr, InlineBinary: Buffer.from(await pacs.bulkData(uri)).toString('base64') };
    }
    const form = readPixelForm(dataset);
    expect(form?.palette).toBeDefined();
    expect(form).toEqual(readPixelForm(readPart10(file).dataset));
  });

  it('DW-13 DW-16: has nothing of a study that it does not know', async () => {
    expect(await all(pacs.studyMetadata('1.2.3'))).toEqual([]);
    expect(await pacs.countInstances('1.2.3')).toBe(0);
  });

  it('has an object without pixels, and no frame of it', async () => {
    const address = addressOf((await stored(read('no_pixels/test-SR.dcm'))) as DicomJson);
    const frames = all(pacs.frames({ ...address, frameNumbers: [1], transferSyntax: 'stored' }));
    await expect(frames).rejects.toMatchObject({
      code: 'IMAGES_UNREACHABLE',
      message: expect.stringContaining('(500)'),
    });
  });

  it('lets nobody in with another password, and is then said not to accept it', async () => {
    const others = sourcesWith('another');
    const reading = all((others.defaultSource() as ImageSource).studyMetadata('1.2.3'));
    await expect(reading).rejects.toThrow('does not accept the credentials (401)');
    await others.close();
  });
});
