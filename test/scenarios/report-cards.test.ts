import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bundle, DiagnosticReport, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Card } from '../../src/entrances/cds-hooks/card.ts';
import { imagingStudy } from '../support/build-imaging-study.ts';
import { captureLog } from '../support/captured-log.ts';
import { callHook, patientView } from '../support/cds-call.ts';
import { cdsResponseFindings } from '../support/cds-response-checker.ts';
import { evenPicture } from '../support/even-picture.ts';
import { type FakePacs, type KeptObject, startFakePacs } from '../support/fake-pacs.ts';
import { send } from '../support/fhir-test-server.ts';
import { writeImagingFile } from '../support/imaging-file.ts';
import type { ModelFolder } from '../support/model-folder.ts';
import { reportCardModel } from '../support/report-card-model.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

const identifiers = 'https://example.org/patients';
const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();

let pacs: FakePacs;
let models: ModelFolder;
let folder: string;
let server: StartedFhirsight;
const log = captureLog();

beforeAll(async () => {
  pacs = await startFakePacs([picture()]);
  models = await reportCardModel();
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-report-cards-'));
  const imagingFile = await writeImagingFile(folder, pacs.base, identifiers);
  server = await startFhirsight({
    logger: log.logger,
    settings: {
      MODELS_DIR: models.modelsDir,
      IMAGING_FILE: imagingFile,
      DEMONSTRATION_MODELS: 'on',
      CDS_DEADLINE_MS: '5000',
    },
  });
  await keep({ resourceType: 'Patient', id: '1', identifier: [{ system: identifiers, value: '4711' }] });
  await keep({ resourceType: 'Patient', id: '2', identifier: [{ system: identifiers, value: '4712' }] });
});

afterAll(async () => {
  await server?.close();
  await pacs.close();
  await models[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** An even picture of Patient/1. */
const picture = (): KeptObject => evenPicture(900, { study: '1.2.3.4' });

async function keep(resource: Resource): Promise<void> {
  const { status, text } = await send(`${server.fhir}/${resource.resourceType}/${resource.id}`, 'PUT', resource);
  expect([200, 201], text).toContain(status);
}

const study = (changes: Partial<ImagingStudy> = {}): ImagingStudy => {
  const { endpoint: _, ...rest } = imagingStudy({ started: hoursAgo(2), description: 'Chest *PA* of <b>drawn</b>' });
  return { ...rest, ...changes };
};

/** The cards of a call about a patient of the own store. */
async function cardsOf(patient: string): Promise<Card[]> {
  const answer = await callHook(server.url, 'chest-phantom', patientView({ patient, fhirServer: server.fhir }));
  expect(answer.status, answer.text).toBe(200);
  expect(cdsResponseFindings(answer.body)).toEqual([]);
  return answer.body.cards;
}

const states = (cards: readonly Card[]): string[] =>
  cards.map(({ extension }) => extension['org.fhirsight.prediction'].state);

async function reports(): Promise<(DiagnosticReport & { id: string })[]> {
  const { body } = await send(`${server.fhir}/DiagnosticReport?subject=Patient/1`, 'GET');
  return ((body as Bundle<DiagnosticReport & { id: string }>).entry ?? []).flatMap(({ resource }) => resource ?? []);
}

/** What the reader of the report finds of it. */
async function review(verdict: 'confirmed' | 'rejected'): Promise<void> {
  const [report] = await reports();
  const parameter = [
    { name: 'verdict', valueCode: verdict },
    { name: 'reviewer', valueReference: { reference: 'Practitioner/17' } },
  ];
  const { status, text } = await send(
    `${server.fhir}/DiagnosticReport/${report?.id}/$review`,
    'POST',
    { resourceType: 'Parameters', parameter },
    { 'Content-Type': 'application/fhir+json', 'If-Match': `W/"${report?.meta?.versionId}"` },
  );
  expect(status, text).toBe(200);
}

function expectWithheld(card: Card | undefined, why: string): void {
  expect(card?.extension['org.fhirsight.prediction'].state).toBe('withheld');
  expect(card?.detail).toContain(why);
  expect(JSON.stringify(card)).not.toContain('%');
}

const isFrames = (request: string | undefined): boolean => request?.includes('/frames/') === true;
let framesGiven = 0;
/** How often pixels were asked for. */
const framesAsked = (): number => pacs.requests.filter(isFrames).length - framesGiven;

/** From now on the PACS keeps whoever wants pixels waiting. @returns lets it give them */
function holdFrames(): () => Promise<void> {
  const held: (() => Promise<void>)[] = [];
  pacs.intercept = (request, response) => {
    if (!isFrames(request.url)) return false;
    held.push(async () => {
      const answer = await fetch(new URL(request.url ?? '', pacs.base));
      framesGiven++;
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(new Uint8Array(await answer.arrayBuffer()));
    });
    return true;
  };
  return async () => {
    pacs.intercept = () => false;
    for (const give of held) await give();
  };
}

async function loggedCards(): Promise<string[]> {
  const { rows } = await server.house.database.query<{ card: string }>(
    "select card from prediction_log where state = 'scored' and card is not null",
  );
  return rows.map(({ card }) => card);
}

describe('cards of reports of imaging studies', () => {
  it('CDS-1 CDS-29: ask the client for nothing, since nothing that it sends could open an image', async () => {
    const { body } = await send(`${server.url}/cds-services`, 'GET');
    expect(body.services).toHaveLength(1);
    expect(body.services[0]).not.toHaveProperty('prefetch');
  });

  it('CDS-26: a call that names no server is answered 412, and opens no image', async () => {
    const prefetch = {
      patient: { resourceType: 'Patient', id: '1', identifier: [{ system: identifiers, value: '4711' }] },
      imagingStudies: { resourceType: 'Bundle', type: 'searchset', total: 1, entry: [{ resource: study() }] },
    };
    const { status, text } = await callHook(server.url, 'chest-phantom', patientView({ patient: '1', prefetch }));
    expect([status, text]).toEqual([412, expect.stringContaining('Name it as fhirServer')]);
    expect(pacs.requests).toEqual([]);
  });

  it('a patient without a study gets the reason, and nothing is asked for', async () => {
    const cards = await cardsOf('2');
    expect(states(cards)).toEqual(['insufficient-data']);
    expect(cards[0]?.detail).toContain('no study of modality');
    expect((await server.house.database.query('select * from operation_jobs')).rows).toEqual([]);
  });

  it('CDS-16 DR-1 CDS-32: five calls about a new study wait for no pixel, and make one report, which the next call shows', async () => {
    await keep(study());
    const give = holdFrames();
    const five = await Promise.all(Array.from({ length: 5 }, () => cardsOf('1')));
    for (const cards of five) {
      expect(states(cards)).toEqual(['computing']);
      expect(cards[0]).toMatchObject({
        indicator: 'info',
        summary: expect.stringMatching(/^AI result is being computed: study of /),
        detail: expect.stringContaining('Look again in'),
      });
    }
    await expect.poll(framesAsked).toBe(1);
    expect(await reports()).toEqual([]);
    await give();
    await expect.poll(reports, { timeout: 60_000 }).toHaveLength(1);
    expect((await server.house.database.query('select * from operation_jobs')).rows).toHaveLength(1);

    const [report] = await reports();
    const [card, ...others] = await cardsOf('1');
    expect(others).toEqual([]);
    expect(card?.summary).toMatch(/^AI result, not read: .*\(Chest phantoms/);
    expect(card?.summary.length).toBeLessThan(140);
    expect(card?.indicator).toBe('warning');
    expect(card?.detail).toMatch(/^\*\*AI result, not read by a radiologist\.\*\*\n\nStudy of 20/);
    expect(card?.detail).toContain('Chest \\*PA\\* of &lt;b&gt;drawn&lt;/b&gt;. Computed just now.');
    expect(card?.detail).toMatch(/Probability \d+(\.\d+)? %/);
    expect(card?.detail).toContain('not for clinical use');
    const link = { label: 'Report', url: `${server.fhir}/DiagnosticReport/${report?.id}`, type: 'absolute' };
    expect(card?.links).toContainEqual(link);
    expect((await send(link.url, 'GET')).body).toMatchObject({
      resourceType: 'DiagnosticReport',
      status: 'preliminary',
    });
    expect(card?.extension['org.fhirsight.prediction']).toMatchObject({
      state: 'scored',
      study: 'ImagingStudy/s1',
      report: `DiagnosticReport/${report?.id}`,
      result: report?.identifier?.[0]?.value,
    });
    expect(framesAsked()).toBe(1);
    expect(await loggedCards()).toContain(card?.uuid);
  });

  it('DSI-42 CDS-53: what is answered to the card of a report is an answer to its result', async () => {
    const [card] = await cardsOf('1');
    const feedback = [{ card: card?.uuid, outcome: 'overridden', outcomeTimestamp: new Date().toISOString() }];
    const { status } = await send(
      `${server.url}/cds-services/chest-phantom/feedback`,
      'POST',
      { feedback },
      {
        'Content-Type': 'application/json',
      },
    );
    expect(status).toBe(200);
    const { text } = await send(`${server.url}/cds-feedback?from=2026-01-01&to=2100-01-01`, 'GET');
    expect(text).toContain(String(card?.extension['org.fhirsight.prediction'].result));
  });

  it('RA-7: of a report that somebody else has changed no number is shown, until it says again what was made', async () => {
    const [report] = await reports();
    if (report === undefined) throw new Error('there is no report');
    await keep({ ...report, conclusion: 'Another word.' });
    const [card] = await cardsOf('1');
    expectWithheld(card, 'Somebody else has changed the report');
    await keep(report);
    expect(states(await cardsOf('1'))).toEqual(['scored']);
  });

  it('DR-1 DR-6: once a person has confirmed it, the card says who has read it and when', async () => {
    await review('confirmed');
    const [card] = await cardsOf('1');
    expect(card?.summary).toMatch(/^AI result, read: /);
    expect(card?.detail).toMatch(/^\*\*AI result, read and confirmed by Practitioner\/17 on 20/);
    expect(framesAsked()).toBe(1);
  });

  it('a newer study has the word: the report of the older one is shown as such', async () => {
    const identifier = [{ system: 'urn:dicom:uid', value: 'urn:oid:1.2.3.5' }];
    await keep(study({ id: 's2', started: hoursAgo(1), identifier }));
    const cards = await cardsOf('1');
    expect(states(cards).toSorted()).toEqual(['computing', 'scored']);
    const older = cards.find(({ summary }) => summary.startsWith('Older study. AI result, read: '));
    expect(older?.detail).toContain('**This is of an older study.** The newer one, of ');
    // Of its images the server has none: the next call says what came of it.
    await expect
      .poll(async () => states(await cardsOf('1')).toSorted(), { timeout: 60_000 })
      .not.toContain('computing');
    await keep(study({ id: 's2', status: 'cancelled', started: hoursAgo(1), identifier }));
  });

  it('RA-7 DR-6: of a report that a person has rejected no number is shown', async () => {
    await review('rejected');
    const [card] = await cardsOf('1');
    expectWithheld(card, 'A person has rejected the AI result');
    expect(framesAsked()).toBe(1);
  });

  it('AUD-1: no log line holds what a study says of a patient', () => {
    expect(log.text()).toContain('operation-job.created');
    expect(log.text()).not.toMatch(/4711|drawn<|1\.2\.3\.4/);
  });
});
