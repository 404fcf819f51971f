import type { ImagingStudy } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { httpPatientIndex } from '../../../src/entrances/cohort/http-patient-index.ts';
import { openCohortSource, type PatientIndex } from '../../../src/entrances/cohort/open-cohort-source.ts';
import { parseRunRequest } from '../../../src/entrances/cohort/parse-run-request.ts';
import { type RunnableModel, requireFittingCohort } from '../../../src/entrances/cohort/require-fitting-cohort.ts';
import { createFhirClient } from '../../../src/fhir/client/fhir-client.ts';
import { httpStudyIndex } from '../../../src/fhir/studies/http-study-index.ts';
import type { StudyIndex } from '../../../src/fhir/studies/study-index.ts';
import type { FoundSubject } from '../../../src/runs/member-table.ts';
import type { Cohort } from '../../../src/runs/run.ts';
import { imagingStudy } from '../../support/build-imaging-study.ts';
import { frontalRadiograph } from '../../support/image-map.ts';
import { outboundTo } from '../../support/outbound-to.ts';
import { type StubFault, startStubFhirServer } from '../../support/stub-fhir-server.ts';

const base = 'https://ehr.example.org/fhir';
const nobody: PatientIndex = {
  bases: [base],
  readGroup: async () => undefined,
  allPatients: async function* () {},
  searchPatients: async function* () {},
  checkSearch: () => undefined,
};
type Parameters = readonly (readonly [string, string])[];

/** A server with these studies, and what it was asked. */
function studiesOf(...pages: readonly (readonly ImagingStudy[])[]) {
  const asked: Parameters[] = [];
  const index: StudyIndex = {
    bases: [base],
    read: async () => undefined,
    checkSearch: () => undefined,
    search: () => {
      throw new Error('nobody needs whole studies');
    },
    async *list(parameters) {
      asked.push(parameters);
      yield* pages;
    },
  };
  return { asked, cohorts: openCohortSource(nobody, 'UTC', index) };
}

const now = new Date('2026-11-28T01:30:00Z');
const never = new AbortController().signal;

async function membersOf(pages: AsyncIterable<readonly FoundSubject[]>): Promise<FoundSubject[]> {
  const members: FoundSubject[] = [];
  for await (const page of pages) members.push(...page);
  return members;
}

const named = (id: string, reference: string): ImagingStudy => imagingStudy({ id, subject: { reference } });

describe('a cohort of studies', () => {
  it('DW-1: has each study with the Patient that it names, also by an absolute reference, page by page', async () => {
    const { cohorts } = studiesOf(
      [named('a', 'Patient/1'), named('b', `${base}/Patient/1`)],
      [named('c', 'Patient/2')],
    );
    expect(await membersOf(cohorts.read({ search: 'ImagingStudy?modality=CR' }, now, never))).toEqual([
      { subject: '1', focus: 'ImagingStudy/a' },
      { subject: '1', focus: 'ImagingStudy/b' },
      { subject: '2', focus: 'ImagingStudy/c' },
    ]);
  });

  it.each(['https://other.example.org/fhir/Patient/1', 'Group/1', 'Patient/1/Observation/2'])(
    'DW-1: has a study of %s as a failed member, never as the patient with the same id',
    async (reference) => {
      const { cohorts } = studiesOf([named('a', reference)]);
      const [member] = await membersOf(cohorts.read({ search: 'ImagingStudy?modality=CR' }, now, never));
      expect(member).toMatchObject({
        subject: 'ImagingStudy/a',
        focus: 'ImagingStudy/a',
        error: { code: 'SUBJECT_UNKNOWN' },
      });
    },
  );

  it('is asked of its server with what has changed, where since says so', async () => {
    const { asked, cohorts } = studiesOf([]);
    const cohort = { search: 'ImagingStudy?modality=CR%2CDX&status=available', since: 'P1D' };
    await membersOf(cohorts.read(cohort, now, never, new Date('2026-11-27T01:20:00Z')));
    expect(asked).toEqual([
      [
        ['modality', 'CR,DX'],
        ['status', 'available'],
        ['_lastUpdated', 'ge2026-11-27T01:20:00.000Z'],
      ],
    ]);
  });

  it.each([
    [{ search: 'ImagingStudy?modality=CR', since: 'P1D' }, undefined],
    [{ search: 'ImagingStudy?modality=CR' }, now],
  ])('%j is never read with another window than it says', async (cohort, since) => {
    await expect(membersOf(studiesOf([]).cohorts.read(cohort, now, never, since))).rejects.toThrow(RangeError);
  });

  it('fails by name where its server ignores from when on it is asked, instead of being over every study there is', async () => {
    const updated = (id: string, lastUpdated: string) => imagingStudy({ id, meta: { lastUpdated } });
    const cohort = { search: 'ImagingStudy?modality=CR', since: 'P1D' };
    const since = new Date('2026-11-27T01:20:00.500Z');
    const read = (study: ImagingStudy) => membersOf(studiesOf([study]).cohorts.read(cohort, now, never, since));
    // Kept in whole seconds.
    expect(await read(updated('a', '2026-11-27T02:20:00+01:00'))).toHaveLength(1);
    const ignored = read(updated('b', '2026-11-20T01:20:00Z'));
    await expect(ignored).rejects.toMatchObject({ code: 'PARAMETER_INVALID', message: /search by started/ });
  });

  it.each([
    [{ search: 'ImagingStudy?_lastUpdated=ge2026-01-01', since: 'P1D' }, 'asks by _lastUpdated itself'],
    [{ search: 'Patient?gender=female', since: 'P1D' }, 'since is for a search on ImagingStudy'],
    [{ search: 'ImagingStudy?_count=5' }, 'says how an answer looks'],
    [{ search: 'ImagingStudy' }, 'must be relative and on Patient or ImagingStudy'],
    [{ search: `${base}/ImagingStudy?modality=CR` }, 'must be relative'],
    [{ search: 'ImagingStudy/../Patient?active=true' }, 'must be relative'],
  ])('%j is refused', async (cohort, says) => {
    const refused = studiesOf([]).cohorts.check(cohort);
    await expect(refused).rejects.toMatchObject({ code: 'PARAMETER_INVALID', message: expect.stringContaining(says) });
  });

  it('is refused where only patients are asked for, as for a training matrix', async () => {
    const patients = openCohortSource(nobody, 'UTC');
    const refused = patients.check({ search: 'ImagingStudy?modality=CR' });
    await expect(refused).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
  });
});

describe('a cohort of studies at another FHIR server', () => {
  const studies = Array.from({ length: 20 }, (_, at) =>
    imagingStudy({
      id: `s${at}`,
      subject: { reference: `Patient/${at % 4}` },
      meta: { lastUpdated: '2026-11-27T09:00:00Z' },
    }),
  );
  const since = new Date('2026-11-27T01:20:00Z');
  /** What a run over all its studies has for members, and how the server was asked. */
  async function readFrom(
    faults: StubFault[],
    signal = never,
    { resources = studies, maxBodyBytes = 1_000_000, pageSize = 7 } = {},
  ) {
    await using stop = new AsyncDisposableStack();
    const server = await startStubFhirServer({ resources, faults, pageSize });
    stop.defer(() => server.close());
    const client = createFhirClient({
      base: server.base,
      outbound: outboundTo(server.base),
      timeoutMs: 5_000,
      maxResources: 1_000,
      maxBodyBytes,
      headers: { prefer: 'handling=strict' },
    });
    stop.defer(() => client.close());
    const cohorts = openCohortSource(httpPatientIndex(client), 'UTC', httpStudyIndex(client));
    const cohort = { search: 'ImagingStudy?modality=DX', since: 'P1D' };
    return { members: await membersOf(cohorts.read(cohort, now, signal, since)), requests: server.requests };
  }

  it('has them all, over many pages, asked for strictly and by when they changed', async () => {
    const { members, requests } = await readFrom([]);
    expect(members.map(({ focus }) => focus).sort()).toEqual(studies.map(({ id }) => `ImagingStudy/${id}`).sort());
    expect(members).toContainEqual({ subject: '3', focus: 'ImagingStudy/s7' });
    const asked = new URL(requests[0]?.url ?? '', 'http://ehr.example.org');
    expect(asked.pathname).toBe('/fhir/ImagingStudy');
    expect(asked.searchParams.get('_lastUpdated')).toBe('ge2026-11-27T01:20:00.000Z');
    expect(asked.searchParams.get('modality')).toBe('DX');
    expect(requests[0]?.headers.prefer).toBe('handling=strict');
  });

  it('has them all where a page of them is larger than an answer may be: it is asked for again in halves', async () => {
    // The stub gives the last first: what is too large comes behind what is not.
    const resources = studies.map((study, at) => (at < 10 ? { ...study, description: 'x'.repeat(1_000) } : study));
    const { members, requests } = await readFrom([], never, { resources, maxBodyBytes: 10_000, pageSize: 200 });
    const found = new Set(members.map(({ focus }) => focus));
    expect([...found].sort()).toEqual(studies.map(({ id }) => `ImagingStudy/${id}`).sort());
    const counts = requests.flatMap(
      ({ url }) => new URL(url, 'http://ehr.example.org').searchParams.get('_count') ?? [],
    );
    expect(counts).toEqual(['20', '10', '5']);
  });

  it('is none where one study alone is too large to be read, with what was too large', async () => {
    const resources = studies.map((study, at) => (at === 3 ? { ...study, description: 'x'.repeat(20_000) } : study));
    const read = readFrom([], never, { resources, maxBodyBytes: 10_000, pageSize: 200 });
    await expect(read).rejects.toMatchObject({
      code: 'RECORD_UNREACHABLE',
      message: /more than 10000 bytes in one answer/,
    });
  });

  it('is none where a page is missing, or where it was stopped: never a part of one', async () => {
    await expect(readFrom([{ kind: 'status', status: 500, on: 'next' }])).rejects.toMatchObject({
      code: 'RECORD_UNREACHABLE',
    });
    await expect(readFrom([], AbortSignal.abort())).rejects.toThrow();
  });
});

describe('since', () => {
  const asked = (cohort: unknown) => parseRunRequest({ model: 'chest', cohort }, 'UTC').cohort;

  it('is taken with a search', () => {
    const cohort = { search: 'ImagingStudy?modality=CR', since: 'PT12H' };
    expect(asked(cohort)).toEqual(cohort);
  });

  it.each([
    [{ all: true, since: 'P1D' }, 'cohort.since'],
    [{ group: 'Group/1', since: 'P1D' }, 'cohort.since'],
    [{ since: 'P1D' }, 'exactly one of'],
    [{ search: 'ImagingStudy?modality=CR', since: 'P1M' }, 'days, weeks or hours'],
    [{ search: 'ImagingStudy?modality=CR', since: 1 }, 'days, weeks or hours'],
  ])('of %j is refused with its place and what is allowed', (cohort, says) => {
    expect(() => asked(cohort)).toThrow(says);
  });
});

describe('a model and a cohort', () => {
  const report = { coding: [], title: 'Report' };
  const modelOf = (hasReport: boolean, readsImages: boolean): RunnableModel => ({
    manifest: { id: 'm', ...(hasReport ? { report } : {}) },
    gathered: { features: readsImages ? { image: frontalRadiograph([8, 8]) } : {} },
  });
  const ofStudies: Cohort = { search: 'ImagingStudy?modality=CR' };
  const ofPatients: Cohort[] = [{ all: true }, { group: 'Group/1' }, { search: 'Patient?gender=female' }];

  it('fit where a model of reports has studies, and every other model patients', () => {
    expect(() => requireFittingCohort(modelOf(true, true), ofStudies)).not.toThrow();
    for (const cohort of ofPatients) {
      expect(() => requireFittingCohort(modelOf(false, false), cohort)).not.toThrow();
      expect(() => requireFittingCohort(modelOf(false, true), cohort)).not.toThrow();
    }
  });

  it('are refused else, with the way out', () => {
    for (const cohort of ofPatients)
      expect(() => requireFittingCohort(modelOf(true, true), cohort)).toThrow(/Send \{"search": "ImagingStudy\?/);
    for (const reads of [false, true])
      expect(() => requireFittingCohort(modelOf(false, reads), ofStudies)).toThrow(/Send a cohort of patients/);
  });
});
