import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { storeContext } from '../../../src/fhir/store/store-context.ts';
import { deleteResource } from '../../../src/fhir/store/write-resource.ts';
import { createResourceValidator } from '../../../src/fhir/validate-resource.ts';
import type { DicomJson } from '../../../src/imaging/dicom/dicom-json.ts';
import { encodePng } from '../../../src/imaging/preprocess/encode-png.ts';
import { ownerMark } from '../../../src/imaging/study/owner-mark.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Database } from '../../../src/platform/database.ts';
import type { ResultRequest } from '../../../src/results/result-request.ts';
import { openArchives } from '../../../src/wire-archives.ts';
import { type DeliveryBench, openDeliveryBench, sinkAt } from '../../support/delivery-bench.ts';
import { type FakePacs, startFakePacs } from '../../support/fake-pacs.ts';
import { readImage } from '../../support/image-map.ts';
import { abstainedRecord, outcomeBase, scoredRecord } from '../../support/outcome-record.ts';
import { imagingAt, radiograph } from '../../support/radiographs.ts';
import { reportRecord } from '../../support/report-record.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { clearWriteBack } from '../../support/write-back-tables.ts';

const storeOptions = {
  baseUrl: outcomeBase,
  clock: systemClock,
  newId: randomUUID,
  timeZone: 'UTC',
  validator: createResourceValidator(),
};
let opened: TestDatabase;
let database: Database;
let pacs: FakePacs;
let imaging: ReturnType<typeof imagingAt>;
let made: DeliveryBench;

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
  pacs = await startFakePacs();
  imaging = imagingAt(pacs);
});
beforeEach(async () => {
  await clearWriteBack(database);
  pacs.objects.splice(0, Number.POSITIVE_INFINITY, radiograph());
  pacs.requests.length = 0;
  pacs.refusal = () => undefined;
  pacs.intercept = () => false;
  const sinks = [sinkAt('dicomweb', 'pacs-0', { name: 'pacs', maxAttempts: 3 })];
  const { sources, workers } = imaging.parts;
  made = openDeliveryBench(database, sinks, { archives: openArchives(sinks, { sources, workers, timeZone: 'UTC' }) });
  made.deliveries.start();
});
afterEach(() => made.close());
afterAll(async () => {
  await imaging.close();
  await pacs.close();
  await opened.close();
});

const at = (hour: number) => ({
  asOf: new Date(Date.UTC(2026, 2, 1, hour)),
  computedAt: new Date(Date.UTC(2026, 2, 1, hour, 1)),
});
const first = reportRecord('a', at(9));
const late = reportRecord('b', at(10));
const settled = ({ pending, sending }: { pending: number; sending: number }) => pending + sending === 0;

const png = encodePng({ rows: 2, columns: 3, channels: 3, data: Uint8Array.from({ length: 18 }, (_, index) => index) });
const picture = { title: 'What moved it', png, rows: 2, columns: 3 };

/** A report of the radiograph in the PACS, with one picture. */
function about(
  owners = [ownerMark('1.2.3.4', { patientId: '4711', issuerOfPatientId: 'NORTH' })],
): Partial<ResultRequest> {
  const { image, ...observed } = readImage();
  const read = { ...image, study: { studyInstanceUid: '1.2.3.4', owners }, images: [imageOf(radiograph().dataset)] };
  const features = new Map([['radiograph', { ...observed, image: read }]]);
  const inputs = { features, verdicts: new Map([['spot', { state: 'score' as const }]]), basis: observed.sources };
  return { inputs, pictures: [picture] } as Partial<ResultRequest>;
}

function imageOf(dataset: DicomJson) {
  const [seriesInstanceUid, sopInstanceUid, sopClassUid] = ['0020000E', '00080018', '00080016'].map((tag) =>
    String(dataset[tag]?.Value?.[0]),
  ) as [string, string, string];
  return { seriesInstanceUid, sopInstanceUid, sopClassUid, frame: 1, objectFrames: 1 };
}

const write = (record = first, score = 0.37, said = about()) => made.writeReport(record, score, said);
const textOf = (dataset: DicomJson | undefined, tag: string) => String(dataset?.[tag]?.Value?.[0]);
const ofModality = (modality: string) =>
  pacs.objects.map(({ dataset }) => dataset).filter((dataset) => textOf(dataset, '00080060') === modality);
const sent = () => pacs.requests.filter((request) => request.startsWith('POST')).length;
const rows = () => made.deliveries.list({ count: 10 });
const isSr = (dataset: DicomJson) => textOf(dataset, '00080060') === 'SR';

test('AIR-1: a report goes to the study as a capture of its picture and a structured report, and nothing else does', async () => {
  await made.write(scoredRecord('a'));
  await write();
  await made.until(settled);
  expect([ofModality('OT'), ofModality('SR')].map(({ length }) => length)).toEqual([1, 1]);
  const [capture] = ofModality('OT');
  expect([textOf(capture, '0020000D'), textOf(capture, '00100020')]).toEqual(['1.2.3.4', '4711']);
  expect(await rows()).toMatchObject([
    {
      state: 'delivered',
      result: expect.stringMatching(/^DiagnosticReport\//),
      receipt: {
        resources: {
          'secondary-capture/1': { reference: `urn:oid:${textOf(capture, '00080018')}` },
          'structured-report/1': { reference: `urn:oid:${textOf(ofModality('SR')[0], '00080018')}` },
        },
      },
    },
  ]);
});

test('what may have been sent before is looked for, and is not sent again', async () => {
  await write();
  await made.until(settled);
  await database.query("update deliveries set state = 'pending', receipt = null, unsure = true");
  await made.until(settled);
  expect([sent(), ofModality('OT').length, ofModality('SR').length]).toEqual([1, 1, 1]);
  expect(await rows()).toMatchObject([{ state: 'delivered' }]);
});

test('RA-7: an amended report has a document in the same series that names the one before it', async () => {
  await write();
  await made.until(settled);
  await write(late, 0.62);
  await made.until(settled);
  const [before, after, ...others] = ofModality('SR');
  expect(others).toEqual([]);
  expect(textOf(after, '0020000E')).toBe(textOf(before, '0020000E'));
  const documents = pacs.objects.filter(({ dataset }) => isSr(dataset)).map(({ file }) => Buffer.from(file ?? []));
  expect(documents.map((file) => file.includes(textOf(before, '00080018')))).toEqual([true, true]);
  expect(documents.map((file) => file.includes('Amended: it takes the place of'))).toEqual([false, true]);
  expect(ofModality('OT')).toHaveLength(2);
});

test('RA-7: the picture of what an amended report said before is a dead letter that names it, until it is removed there', async () => {
  await write();
  await made.until(settled);
  const [outdated] = ofModality('OT');
  await write(late, 0.62);
  await made.until(settled);
  for (const again of [false, true]) {
    if (again) await made.deliveries.redrive({ sink: 'pacs' });
    await made.until(settled);
    const text = expect.stringContaining(textOf(outdated, '00080018'));
    expect(await rows()).toMatchObject([{ state: 'dead', lastError: { reason: 'keeps-objects', text } }]);
  }
  expect([ofModality('OT').length, ofModality('SR').length]).toEqual([2, 2]);
  pacs.objects.splice(0, Number.POSITIVE_INFINITY, ...pacs.objects.filter(({ dataset }) => dataset !== outdated));
  await made.deliveries.redrive({ sink: 'pacs' });
  await made.until(settled);
  expect(await rows()).toMatchObject([{ state: 'delivered', receipt: { made: 2 } }]);
  expect(sent()).toBe(2);
});

/** Deletes the report. */
async function remove(): Promise<void> {
  const { rows: found } = await database.query<{ id: string }>(
    "select id from resources where type = 'DiagnosticReport'",
  );
  await deleteResource(
    storeContext({ ...storeOptions, database, tenant: 'default' }),
    'DiagnosticReport',
    found[0]?.id ?? '',
  );
}

describe('a report that was deleted and made anew', () => {
  test('RA-7: is version 1 again and sent all the same: its document names the newest before it, and the picture of the first is told of', async () => {
    await write();
    await made.until(settled);
    await remove();
    await write(late, 0.62);
    await made.until(settled);
    expect([ofModality('OT').length, ofModality('SR').length]).toEqual([2, 2]);
    const [before] = ofModality('SR');
    const file = Buffer.from(pacs.objects.filter(({ dataset }) => isSr(dataset))[1]?.file ?? []);
    expect(file.toString('latin1').split(textOf(before, '00080018'))).toHaveLength(2);
    const text = expect.stringContaining(textOf(ofModality('OT')[0], '00080018'));
    expect(await rows()).toMatchObject([{ state: 'dead', lastError: { reason: 'keeps-objects', text } }]);
  });
});

describe('a report that a person has read', () => {
  const reviewed = async (verdict: 'confirmed' | 'rejected') => {
    await write();
    await made.until(settled);
    const [row] = await rows();
    await made.review(row?.result.slice('DiagnosticReport/'.length) ?? '', verdict);
    await made.until(settled);
  };

  test('AIR-1: and confirmed has a final document that says who has read it, beside the first, and the same picture', async () => {
    await reviewed('confirmed');
    const documents = pacs.objects.filter(({ dataset }) => isSr(dataset)).map(({ file }) => Buffer.from(file ?? []));
    expect(documents.map((file) => file.includes('FINAL'))).toEqual([false, true]);
    expect(documents.map((file) => file.includes('read and confirmed by Practitioner/17'))).toEqual([false, true]);
    expect(ofModality('OT')).toHaveLength(1);
    const { rows: issued } = await database.query<{ at: string }>(
      "select body->>'issued' as at from resources where type = 'DiagnosticReport'",
    );
    const dates = [...ofModality('OT'), ...ofModality('SR')].map(
      (dataset) => textOf(dataset, '00080023') + textOf(dataset, '00080033'),
    );
    const computed = '20260301090100';
    expect(dates).toEqual([computed, computed, issued[0]?.at.replace(/[-:T]/g, '').slice(0, 14)]);
    expect(dates[2]).not.toBe(computed);
    expect(await rows()).toMatchObject([{ state: 'delivered', receipt: { made: 2 } }]);
  });

  test('and rejected gets no further object, and is a dead letter as long as there are any', async () => {
    await reviewed('rejected');
    expect([ofModality('OT').length, ofModality('SR').length]).toEqual([1, 1]);
    expect(await rows()).toMatchObject([{ state: 'dead', lastError: { reason: 'keeps-objects' } }]);
  });
});

describe('a PACS that refuses', () => {
  test('one of the objects makes a dead letter with its reason; re-driven, only that one is sent', async () => {
    pacs.refusal = (dataset) => (isSr(dataset) ? 0xa900 : undefined);
    await write();
    await made.until(settled);
    expect(await rows()).toMatchObject([
      {
        state: 'dead',
        lastError: {
          reason: 'rejected',
          text: expect.stringContaining('does not keep 1 of 2 objects: structured-report/1 (failure reason A900)'),
        },
      },
    ]);
    const [capture] = pacs.objects.filter(({ dataset }) => textOf(dataset, '00080060') === 'OT');
    pacs.refusal = (dataset) => (isSr(dataset) ? undefined : 0xa900);
    expect(await made.deliveries.redrive({ sink: 'pacs' })).toBe(1);
    await made.until(settled);
    expect(await rows()).toMatchObject([{ state: 'delivered' }]);
    expect([ofModality('SR').length, pacs.objects.includes(capture as never)]).toEqual([1, true]);
  });

  test('all of them is no other: 409', async () => {
    pacs.refusal = () => 0x0122;
    await write();
    await made.until(settled);
    expect(await rows()).toMatchObject([
      { state: 'dead', lastError: { text: expect.stringContaining('does not keep 2 of 2 objects') } },
    ]);
  });

  test('because it is out of resources is asked again', async () => {
    let asked = 0;
    pacs.refusal = () => (asked++ < 2 ? 0xa700 : undefined);
    await write();
    await made.until(settled);
    expect([sent(), ofModality('OT').length, ofModality('SR').length]).toEqual([2, 1, 1]);
  });

  test.each([
    [503, 'busy'],
    [401, 'refused-access'],
  ])('everything (%i) is left alone, and no report dies of it', async (status, reason) => {
    pacs.intercept = ({ method }, response) => {
      if (method !== 'POST') return false;
      response.writeHead(status, { connection: 'close' }).end();
      return true;
    };
    await write();
    await made.until(() => sent() === 5);
    await expect.poll(rows).toMatchObject([{ state: 'pending', lastError: { reason, status } }]);
    pacs.intercept = () => false;
    await made.until(settled);
    expect(ofModality('SR')).toHaveLength(1);
  });

  test('the request (400) makes a dead letter at once', async () => {
    pacs.intercept = ({ method }, response) => {
      if (method !== 'POST') return false;
      response.writeHead(400, { connection: 'close' }).end();
      return true;
    };
    await write();
    await made.until(settled);
    expect([sent(), await rows()]).toMatchObject([
      1,
      [{ state: 'dead', lastError: { reason: 'rejected', status: 400 } }],
    ]);
  });
});

describe('a report that has given way', () => {
  const abstain = (hour: number) => made.write(abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(hour) }));

  test('before its turn is not sent', async () => {
    pacs.intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    await write();
    await abstain(10);
    pacs.intercept = () => false;
    await made.until(settled);
    expect([pacs.objects.length, await rows()]).toMatchObject([1, [{ receipt: { skipped: 'superseded' } }]]);
  });

  test('and whose delivery got no answer is a dead letter where the archive has stored it all the same', async () => {
    pacs.intercept = ({ method }, response) => {
      if (method === 'POST') response.writeHead = () => response.destroy();
      return false;
    };
    await write();
    await made.until(() => ofModality('SR').length > 0);
    pacs.intercept = () => false;
    await abstain(10);
    await made.until(settled);
    expect(await rows()).toMatchObject([{ state: 'dead', lastError: { reason: 'keeps-objects' } }]);
  });

  test('and of which the archive kept a part is a dead letter for that part', async () => {
    pacs.refusal = (dataset) => (isSr(dataset) ? 0xa900 : undefined);
    await write();
    await made.until(settled);
    await abstain(10);
    await made.until(settled);
    expect(await rows()).toMatchObject([
      { state: 'dead', lastError: { reason: 'keeps-objects', text: expect.stringContaining('has 1 objects of it') } },
    ]);
  });

  test('and whose delivery a stop of the server ended is a dead letter where the archive has its objects', async () => {
    await write();
    await made.until(settled);
    // As a stop leaves it: claimed, sent, and put back as if nothing had been tried.
    await database.query("update deliveries set state = 'pending', receipt = null, unsure = false, attempts = 0");
    await abstain(10);
    await made.until(settled);
    expect(await rows()).toMatchObject([{ state: 'dead', lastError: { reason: 'keeps-objects' } }]);
  });

  test('and that names no images, of which nothing can have been sent, is settled', async () => {
    await made.writeReport(first);
    await made.until(settled);
    await abstain(10);
    await made.until(settled);
    expect(await rows()).toMatchObject([{ state: 'delivered', receipt: { skipped: 'superseded' } }]);
  });

  test('for no look within the quiet period, which its own objects begin anew, is none: it stays delivered', async () => {
    await write();
    await made.until(settled);
    await made.write({ ...abstainedRecord('x', { focus: 'ImagingStudy/s1', ...at(10) }), passes: true });
    await made.until(settled);
    expect(await rows()).toMatchObject([{ state: 'delivered', receipt: { superseded: false } }]);
  });

  test('after it was sent is a dead letter, for nobody can mark it there; when it stands again its objects are there', async () => {
    await write();
    await made.until(settled);
    await abstain(10);
    await made.until(settled);
    expect(await rows()).toMatchObject([{ state: 'dead', lastError: { reason: 'keeps-objects' } }]);
    pacs.objects.splice(1);
    await write(reportRecord('a', at(11)));
    await made.until(settled);
    expect(await rows()).toMatchObject([{ state: 'delivered' }]);
    expect([ofModality('OT').length, ofModality('SR').length]).toEqual([1, 1]);
  });

  test('and whose objects were removed there is settled when it is re-driven', async () => {
    await write();
    await made.until(settled);
    await abstain(10);
    await made.until(settled);
    pacs.objects.splice(1);
    await made.deliveries.redrive({ sink: 'pacs' });
    await made.until(settled);
    expect(await rows()).toMatchObject([{ state: 'delivered', receipt: { skipped: 'superseded' } }]);
  });
});

test('a study that the PACS does not have gets no objects about it', async () => {
  pacs.objects.splice(0);
  await write();
  await made.until(settled);
  expect([sent(), await rows()]).toMatchObject([0, [{ state: 'dead', lastError: { reason: 'no-images' } }]]);
});

describe('AIR-1: whose study the PACS says it is, before anything is sent', () => {
  const another = [{ state: 'dead', lastError: { reason: 'another-patient' } }];

  for (const [what, changes] of [
    ['another number', { PatientID: '4712' }],
    ['the same number of another issuer', { IssuerOfPatientID: 'SOUTH' }],
    ['the same number of no issuer', { IssuerOfPatientID: undefined }],
    ['no number', { PatientID: undefined }],
  ] as const)
    test(`${what} is a dead letter that names no number, and nothing is sent`, async () => {
      pacs.objects.splice(0, 1, radiograph(changes));
      await write();
      await made.until(settled);
      const [row] = await rows();
      expect([sent(), [row]]).toMatchObject([0, another]);
      expect(row?.lastError?.text).toContain('PatientID (0010,0020)');
      expect(row?.lastError?.text).not.toMatch(/471[12]|NORTH|SOUTH/);
    });

  test('a number without an issuer that was read without one is the same patient', async () => {
    pacs.objects.splice(0, 1, radiograph({ IssuerOfPatientID: undefined }));
    await write(first, 0.37, about([ownerMark('1.2.3.4', { patientId: '4711' })]));
    await made.until(settled);
    expect([sent(), await rows()]).toMatchObject([1, [{ state: 'delivered' }]]);
  });

  test('a study that was given to somebody else gets no version of an amended report either, and gets it when it is put right', async () => {
    await write();
    await made.until(settled);
    pacs.objects.splice(0, 1, radiograph({ PatientID: '4712' }));
    await write(late, 0.62);
    await made.until(settled);
    expect([sent(), await rows()]).toMatchObject([1, another]);
    pacs.objects.splice(0, 1, radiograph());
    await made.deliveries.redrive({ sink: 'pacs' });
    await made.until(settled);
    expect([sent(), ofModality('SR').length]).toEqual([2, 2]);
  });

  test('a new number of the same patient writes no version of the same report, which is sent once it is deleted and made anew', async () => {
    const renumbered = about([ownerMark('1.2.3.4', { patientId: '4712', issuerOfPatientId: 'NORTH' })]);
    pacs.objects.splice(0, 1, radiograph({ PatientID: '4712' }));
    await write();
    await made.until(settled);
    await write(first, 0.37, renumbered);
    await made.deliveries.redrive({ sink: 'pacs' });
    await made.until(settled);
    expect([sent(), await rows()]).toMatchObject([0, another]);
    await remove();
    await write(first, 0.37, renumbered);
    await made.until(settled);
    expect([sent(), textOf(ofModality('SR')[0], '00100020')]).toEqual([1, '4712']);
  });

  test('a report that does not say whose images were read is not sent', async () => {
    await write(first, 0.37, about([]));
    await made.until(settled);
    const unsaid = [{ state: 'dead', lastError: { reason: 'unprepared', text: expect.stringContaining('delete it') } }];
    expect([sent(), await rows()]).toMatchObject([0, unsaid]);
  });
});

test('a report that does not name its images is a dead letter that says what to do', async () => {
  await made.writeReport(first);
  await made.until(settled);
  expect(await rows()).toMatchObject([
    {
      state: 'dead',
      lastError: { reason: 'unprepared', text: expect.stringContaining('let the model read the study') },
    },
  ]);
});

test('a sink whose server IMAGING_FILE does not declare ends the start', () => {
  const sinks = [sinkAt('dicomweb', 'elsewhere', { name: 'pacs' })];
  const { sources, workers } = imaging.parts;
  expect(() => openArchives(sinks, { sources, workers, timeZone: 'UTC' })).toThrow("'elsewhere', which IMAGING_FILE");
  expect(() => openArchives(sinks, { sources: undefined, workers: undefined, timeZone: 'UTC' })).toThrow(
    'no IMAGING_FILE',
  );
});
