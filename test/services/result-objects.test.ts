import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readImageAttributes } from '../../src/imaging/dicom/image-attributes.ts';
import { readPart10 } from '../../src/imaging/dicom/read-part10.ts';
import { createImageSources } from '../../src/imaging/dicomweb/create-image-sources.ts';
import type { ImageSource, ImageSources } from '../../src/imaging/dicomweb/image-sources.ts';
import { comprehensiveReport } from '../../src/imaging/objects/comprehensive-report.ts';
import type { ResultOrigin } from '../../src/imaging/objects/result-origin.ts';
import { secondaryCapture } from '../../src/imaging/objects/secondary-capture.ts';
import { reportContent, resultOrigin } from '../imaging/support/result-origin.ts';
import { root } from '../support/markdown-blocks.ts';
import { outboundTo } from '../support/outbound-to.ts';
import { type Orthanc, startOrthanc } from '../support/start-orthanc.ts';
import { all } from '../support/stub-image-server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-objects-'));
const radiograph = readFileSync(path.join(root, 'models/chest-phantom/1.0.0/training/samples/box.dcm'));
const picture = {
  rows: 2,
  columns: 3,
  channels: 3,
  data: Uint8Array.from({ length: 18 }, (_, at) => at * 11),
} as const;
const capture = (origin: ResultOrigin) =>
  secondaryCapture(origin, { title: 'What moved the score', number: 1, lossy: false, picture });

/** What dcmtk prints of a file. */
function printed(program: 'dcmdump' | 'dsrdump', options: string[], file: Uint8Array): string {
  const place = path.join(folder, 'object.dcm');
  writeFileSync(place, file);
  return execFileSync(program, [...options, place], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('dcmtk', () => {
  it('AIR-1, AIR-2: reads a structured report by TID 1500, with the numbers, the classes and the algorithm', () => {
    const text = printed('dsrdump', ['+Pl', '+Pc', '+Pt'], comprehensiveReport(resultOrigin(), reportContent));
    for (const line of [
      'Comprehensive 3D SR Document',
      'Preliminary Flag    : PRELIMINARY',
      'Verification Flag   : UNVERIFIED',
      'CONTAINER:(126000,DCM,"Imaging Measurement Report")=SEPARATE',
      '# TID 1500 (DCMR)',
      'has obs context CODE:(121005,DCM,"Observer Type")=(121007,DCM,"Device")',
      'has concept mod TEXT:(111001,DCM,"Algorithm Name")="Opacity of the chest (chest)"',
      'has concept mod TEXT:(111003,DCM,"Algorithm Version")="1.2.0"',
      'has concept mod CODE:(111000,DCM,"Algorithm Family")=(123110,DCM,"Artificial Intelligence")',
      '"Opacity")="12.3456789012346" (%,UCUM,"percent")',
      '"Volume")="Not computed: outside of the range"',
    ])
      expect(text).toContain(line);
    expect(text).toMatch(/contains IMAGE:.*DX image/);
    expect(text).toMatch(/contains CODE:\(form,99[0-9A-F]{12},"Form"\)=\(box,99[0-9A-F]{12},"Box"\)/);
    expect(text).toContain(`"${'a'.repeat(64)}/opacity"`);
  });

  it('reads a Secondary Capture that says what it is, and that nobody has read it', () => {
    const text = printed('dcmdump', ['+U8', '+L'], capture(resultOrigin()));
    for (const line of [
      'UI =SecondaryCaptureImageStorage',
      'CS [DERIVED\\SECONDARY]',
      'LO [AI result, not read by a radiologist]',
      'PN [Müller^Jörg=山田^太郎]',
      'not read by a radiologist.]',
    ])
      expect(text).toContain(line);
  });
});

describe('Orthanc', () => {
  let orthanc: Orthanc;
  let sources: ImageSources;
  let pacs: ImageSource;
  beforeAll(async () => {
    orthanc = await startOrthanc();
    const { base, user } = orthanc;
    const server = { url: base, endpoints: [], allowPlainHttp: false, connections: 2, user, passwordVariable: 'PACS' };
    const bytes = 10_000_000;
    const limits = {
      timeoutMs: 20_000,
      objectBytes: bytes,
      metadataBytes: bytes,
      studyBytes: bytes,
      frames: 10,
      memoryBytes: bytes,
    };
    sources = createImageSources(
      { servers: { pacs: server }, default: 'pacs', limits },
      { outbound: outboundTo(base), readVariable: () => orthanc.password },
    );
    pacs = sources.defaultSource() as ImageSource;
  });
  afterAll(async () => {
    await sources.close();
    await orthanc.stop();
  });
  beforeEach(() => orthanc.empty());

  /** What is made of a radiograph in Orthanc, as it says itself what the radiograph is. */
  async function originAtOrthanc(): Promise<ResultOrigin> {
    const { studyInstanceUid } = readImageAttributes(readPart10(radiograph).dataset);
    await pacs.store([radiograph]);
    const [source] = await all(pacs.studyMetadata(studyInstanceUid));
    if (source === undefined) throw new Error('Orthanc has no study');
    const { seriesInstanceUid, sopInstanceUid, sopClassUid } = readImageAttributes(source);
    return resultOrigin({ source, objects: [{ seriesInstanceUid, sopInstanceUid, sopClassUid }] });
  }

  it('keeps both objects in the study that was read, and gives them back as they were sent', async () => {
    const origin = await originAtOrthanc();
    const files = [capture(origin), comprehensiveReport(origin, reportContent)];
    const told = await pacs.store(files);
    expect([told.stored.length, told.refused]).toEqual([2, []]);

    const { studyInstanceUid: study } = readImageAttributes(origin.source);
    expect(await pacs.countInstances(study)).toBe(3);
    const [patients, studies] = await Promise.all(
      ['/patients', '/studies'].map(async (at) => (await (await orthanc.ask('GET', at)).json()) as unknown[]),
    );
    expect([patients?.length, studies?.length]).toEqual([1, 1]);

    const back = await Promise.all(
      files.map((file) => {
        const { seriesInstanceUid: series, sopInstanceUid: instance } = readImageAttributes(readPart10(file).dataset);
        return pacs.instance({ study, series, instance });
      }),
    );
    const [sc, sr] = back as [Uint8Array, Uint8Array];
    expect([...(readPart10(sc).frames[0] ?? [])]).toEqual([...picture.data]);
    expect(printed('dsrdump', ['+Pl'], sr)).toContain('"12.3456789012346" (%,UCUM,"percent")');
  });

  it('has one object of each after they were sent twice', async () => {
    const origin = await originAtOrthanc();
    for (const file of [capture(origin), comprehensiveReport(origin, reportContent)]) {
      await pacs.store([file]);
      await pacs.store([file]);
    }
    expect(await pacs.countInstances(readImageAttributes(origin.source).studyInstanceUid)).toBe(3);
  });
});
