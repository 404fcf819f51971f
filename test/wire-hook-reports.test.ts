import { expect, it } from 'vitest';
import { systemClock } from '../src/platform/clock.ts';
import type { PredictionRequest } from '../src/prediction/prediction-request.ts';
import type { House } from '../src/wire.ts';
import { hookReports } from '../src/wire-hook-reports.ts';

const base = 'https://ehr.example/fhir';

/** What of a house reports need; whatever is made is kept in `made`. */
function house(made: unknown[]): Parameters<typeof hookReports>[0] {
  const openServer = (named: string) => ({ source: { base: named }, close: async () => undefined });
  return {
    source: { base },
    prediction: { clock: systemClock, openServer },
    operationJobs: {
      createOnce: async (job: unknown) => {
        made.push(job);
        return 'created';
      },
    },
  } as unknown as House;
}

const request: PredictionRequest = {
  requestId: 'request-1',
  entrance: 'cds-hooks',
  caller: { service: 'chest', card: 'card-1', key: 'ehr', client: 'north', user: 'Practitioner/7' },
  model: 'chest',
  version: '1.0.0',
  subject: '17',
  encounter: 'visit-3',
  origin: { from: 'server', base, accessToken: 'secret-of-the-call', answers: new Map() },
  seed: [],
  inputs: [],
  writeBack: false,
  build: false,
  signal: new AbortController().signal,
};

const asked = (reference: string, isOneOfSeveral = false) => ({ reference, isOneOfSeveral });

it('CDS-15 CDS-53: the job of a report holds who asks about which study, and nothing of the token or the card of the call', async () => {
  const made: Record<string, unknown>[] = [];
  await hookReports(house(made), { tenant: 'default' }).ask(request, asked('ImagingStudy/s1'));
  const [job] = made;
  expect(JSON.stringify(job)).not.toMatch(/secret-of-the-call|origin|visit-3/);
  expect(job).toMatchObject({ owner: 'ehr', subject: '17', restMs: 60_000 });
  expect(JSON.parse(String(job?.request)).request).toEqual({
    requestId: 'request-1',
    entrance: 'cds-hooks',
    // Not the card: feedback on it is about what it shows, and not about the report that is still to come.
    caller: { key: 'ehr', client: 'north', user: 'Practitioner/7' },
    model: 'chest',
    subject: '17',
    focus: 'ImagingStudy/s1',
    seed: [],
    inputs: [],
    writeBack: true,
    asOf: expect.stringMatching(/:00\.000Z$/),
  });
});

it('one report of a study has one name, whoever asks at whichever visit, and no other has it', async () => {
  const made: { once?: string }[] = [];
  const reports = hookReports(house(made), { tenant: 'default' });
  const { encounter: _, ...elsewhere } = { ...request, caller: { key: 'clinics' } };
  await reports.ask(request, asked('ImagingStudy/s1'));
  await reports.ask(elsewhere, asked('ImagingStudy/s1'));
  await reports.ask(request, asked('ImagingStudy/s2'));
  await reports.ask({ ...request, subject: '18' }, asked('ImagingStudy/s1'));
  await reports.ask({ ...request, model: 'other' }, asked('ImagingStudy/s1'));
  const names = made.map(({ once }) => once);
  expect(names[0]).toBe(names[1]);
  expect(new Set(names).size).toBe(4);
});

it('RA-7: a report of images of several studies is asked for without naming one, whose images alone would make it abstain', async () => {
  const made: { request?: string; once?: string }[] = [];
  const reports = hookReports(house(made), { tenant: 'default' });
  await reports.ask(request, asked('ImagingStudy/s1', true));
  await reports.ask(request, asked('ImagingStudy/s1'));
  const [several, one] = made.map((job) => JSON.parse(String(job.request)).request);
  expect([several.focus, one.focus]).toEqual([undefined, 'ImagingStudy/s1']);
  expect(made[0]?.once).toBe(made[1]?.once);
});

it('reports are made of patients of the record source alone', () => {
  const { areMadeFor } = hookReports(house([]), { tenant: 'default' });
  expect([base, 'https://other.example/fhir'].map(areMadeFor)).toEqual([true, false]);
});
