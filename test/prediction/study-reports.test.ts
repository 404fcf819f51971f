import type {
  Condition,
  Consent,
  DiagnosticReport,
  ImagingStudy,
  Observation,
  Patient,
  Resource,
} from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import type { PredictableModel } from '../../src/prediction/prediction-parts.ts';
import { findStudyReports, type StudyReportParts } from '../../src/prediction/study-reports.ts';
import type { RecordReader, RecordSource } from '../../src/records/record-source.ts';
import type { OutcomeRow } from '../../src/write-back/outcome-record.ts';
import type { ReadReport } from '../../src/write-back/read-report.ts';
import { imagingSeries, imagingStudy } from '../support/build-imaging-study.ts';
import { abstainedRecord, scoredRecord } from '../support/outcome-record.ts';
import { plainRadiograph, radiographed, readAt } from '../support/radiographs.ts';
import { bareMap } from '../support/shipped-model.ts';

const base = 'http://127.0.0.1/fhir/R4';
const digest = 'd'.repeat(64);
const chest = bareMap({ chest: plainRadiograph });
const modelOf = (map: FeatureMap) =>
  ({
    manifest: { id: 'chest', version: '1.0.0' },
    digest,
    compiled: compileFeatureMap(map),
    uses: [],
    queriesAt: (instant: Date) => recordQueries(map, instant, ['consent']),
  }) as unknown as PredictableModel;
const unchanged = { lastUpdated: '2026-01-01T00:00:00.000Z' };
const knownPatient: Patient = { ...radiographed, meta: unchanged };

const minutesAgo = (minutes: number): Date => new Date(readAt.getTime() - minutes * 60_000);

/** What the version that speaks now said of a study an hour ago, with its report. */
function saidOf(study: string, changes: Partial<OutcomeRow> = {}): OutcomeRow {
  const about = { focus: `ImagingStudy/${study}`, modelDigest: digest, computedAt: minutesAgo(60) };
  return { ...scoredRecord(study, about), resourceType: 'DiagnosticReport', resourceId: `report-${study}`, ...changes };
}

interface Given {
  readonly map?: FeatureMap;
  readonly studies?: readonly ImagingStudy[];
  readonly others?: readonly Resource[];
  readonly patient?: Patient;
  readonly outcomes?: readonly OutcomeRow[];
  /** Of every report. */
  readonly report?: Partial<DiagnosticReport>;
  readonly tampered?: boolean;
  readonly withoutImages?: boolean;
  readonly reports?: string[];
}

async function found(given: Given = {}) {
  const { studies = [imagingStudy()], others = [], patient = knownPatient, outcomes = [], tampered = false } = given;
  const asked: string[][] = [];
  const source: RecordReader = {
    base,
    own: true,
    readMany: async ({ queries }) => {
      asked.push(queries.map(({ type }) => type));
      return { subjects: new Map([['1', { rows: [...studies, ...others] as never, patient }]]), others: new Map() };
    },
  };
  const parts: StudyReportParts = {
    tenant: 'default',
    source: source as RecordSource,
    subjectBase: base,
    openServer: () => undefined,
    validate: () => undefined,
    timeZone: 'UTC',
    clock: { now: () => readAt },
    findModel: () => modelOf(given.map ?? chest),
    // That there is one counts: nothing of it is asked.
    ...(given.withoutImages === true ? {} : { imaging: {} as NonNullable<StudyReportParts['imaging']> }),
    outcomes: async () => outcomes,
    report: async ({ resourceId: id }): Promise<ReadReport | undefined> => {
      if (id === undefined) return undefined;
      given.reports?.push(id);
      const report = {
        resourceType: 'DiagnosticReport',
        id,
        status: 'preliminary',
        code: {},
        ...given.report,
      } as const;
      return { report, tampered };
    },
  };
  return { asked, reports: await findStudyReports(parts, { model: 'chest', subject: '1' }) };
}

const older = imagingStudy({
  id: 's0',
  started: '2026-01-01T07:30:00Z',
  meta: { lastUpdated: '2026-01-01T08:00:00Z' },
});

const chestAndLaboratory = bareMap({
  chest: plainRadiograph,
  creatinine: {
    kind: 'observation',
    label: 'Creatinine',
    unit: 'umol/L',
    codes: ['http://loinc.org|14682-9'],
    status: ['final'],
    window: 'P1Y',
    pick: 'latest',
    conversions: [],
    plausible: [10, 2000],
    missing: 'abstain',
  },
});
const creatinine = (changed: Date): Observation => ({
  resourceType: 'Observation',
  id: 'creatinine',
  meta: { lastUpdated: changed.toISOString() },
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '14682-9' }] },
  subject: { reference: 'Patient/1' },
  effectiveDateTime: '2026-01-01T08:00:00Z',
  valueQuantity: { value: 80, unit: 'umol/L', system: 'http://unitsofmeasure.org', code: 'umol/L' },
});
const chestAndDiagnosis = bareMap({
  chest: plainRadiograph,
  dialysis: {
    kind: 'condition',
    label: 'Dialysis',
    codes: ['http://snomed.info/sct|265764009'],
    when: 'ever',
    absent: { assume: false, encounterWithin: 'P1Y' },
  },
});
const dialysis = (changed: Date): Condition => ({
  resourceType: 'Condition',
  id: 'dialysis',
  meta: { lastUpdated: changed.toISOString() },
  clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
  code: { coding: [{ system: 'http://snomed.info/sct', code: '265764009' }] },
  subject: { reference: 'Patient/1' },
});

const optOut: Consent = {
  resourceType: 'Consent',
  id: 'opt-out',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] }],
  patient: { reference: 'Patient/1' },
  provision: { type: 'deny' },
};

describe('what stands of the newest study', () => {
  it('is the report that the version that speaks now made of it, and then nothing is due', async () => {
    const { reports, asked } = await found({
      outcomes: [saidOf('s1'), saidOf('s0')],
      studies: [older, imagingStudy()],
    });
    expect(reports).toMatchObject({
      subjectBase: base,
      model: { id: 'chest', version: '1.0.0', digest },
      asOf: new Date('2026-01-02T12:00:00Z'),
      study: { reference: 'ImagingStudy/s1', at: '2026-01-02T07:30:00Z' },
      said: { report: { id: 'report-s1' } },
      isDue: false,
    });
    expect(reports).not.toHaveProperty('earlier');
    expect(reports?.said).not.toHaveProperty('isUnchecked');
    expect(asked).toEqual([['ImagingStudy', 'Consent']]);
  });

  it.each<[string, readonly OutcomeRow[]]>([
    ['nobody has said anything', []],
    ['only another version has spoken', [saidOf('s1', { modelDigest: 'e'.repeat(64) })]],
    ['what was said is valid no more', [saidOf('s1', { validUntil: minutesAgo(1) })]],
    [
      'the report was deleted, or never written',
      [scoredRecord('s1', { focus: 'ImagingStudy/s1', modelDigest: digest })],
    ],
  ])('RA-7: is nothing, and due, where %s', async (_, outcomes) => {
    const { reports } = await found({ outcomes });
    expect(reports).toMatchObject({ study: { reference: 'ImagingStudy/s1' }, isDue: true });
    expect(reports).not.toHaveProperty('said');
  });

  it.each<[string, Given]>([
    ['the study', { studies: [imagingStudy({ meta: { lastUpdated: minutesAgo(5).toISOString() } })] }],
    [
      'the patient, whose identifier it may have been by mistake,',
      { patient: { ...knownPatient, meta: { lastUpdated: minutesAgo(5).toISOString() } } },
    ],
    [
      'a study in the very millisecond',
      { studies: [imagingStudy({ meta: { lastUpdated: minutesAgo(60).toISOString() } })] },
    ],
    [
      'a study in a second that is given without milliseconds',
      { studies: [imagingStudy({ meta: { lastUpdated: '2026-01-02T11:00:30Z' } })] },
    ],
    [
      'a value of the laboratory that the model reads',
      { map: chestAndLaboratory, others: [creatinine(minutesAgo(5))] },
    ],
    ['a diagnosis that it is not made for', { map: chestAndDiagnosis, others: [dialysis(minutesAgo(5))] }],
  ])('RA-7: is said no more, and due, where %s has changed since', async (_, given) => {
    const scored = await found({ ...given, outcomes: [saidOf('s1')] });
    expect(scored.reports).toMatchObject({ hasChanged: true, isDue: true });
    expect(scored.reports).not.toHaveProperty('said');
    const about = { focus: 'ImagingStudy/s1', modelDigest: digest, computedAt: minutesAgo(60) };
    const abstained = await found({ ...given, outcomes: [abstainedRecord('s1', about)] });
    expect(abstained.reports).toMatchObject({ hasChanged: true, isDue: true });
    expect(abstained.reports).not.toHaveProperty('said');
  });

  it('stands where what else the model reads is older', async () => {
    const others = [creatinine(minutesAgo(120))];
    const { reports, asked } = await found({ map: chestAndLaboratory, others, outcomes: [saidOf('s1')] });
    expect(reports).toMatchObject({ said: { report: { id: 'report-s1' } }, isDue: false });
    expect(asked).toEqual([['Observation', 'ImagingStudy', 'Consent']]);
  });

  it('DW-1: is of images of several studies where the rules choose several, any of which may have changed', async () => {
    const ct = { ...plainRadiograph, study: { ...plainRadiograph.study, modality: ['CT'] } };
    const map = bareMap({ chest: plainRadiograph, scan: ct });
    const scan = (changed: Date) =>
      imagingStudy({
        id: 's3',
        started: '2026-01-02T06:00:00Z',
        meta: { lastUpdated: changed.toISOString() },
        series: [imagingSeries({ modality: { code: 'CT' } })],
      });
    const of = async (changed: Date) =>
      (await found({ map, studies: [imagingStudy(), scan(changed)], outcomes: [saidOf('s1')] })).reports;
    expect(await of(minutesAgo(120))).toMatchObject({
      study: { reference: 'ImagingStudy/s1' },
      isOneOfSeveral: true,
      said: { report: { id: 'report-s1' } },
    });
    expect(await of(minutesAgo(5))).toMatchObject({ hasChanged: true, isDue: true });
    const { reports } = await found({ outcomes: [saidOf('s1')] });
    expect(reports).not.toHaveProperty('isOneOfSeveral');
  });

  it('is no longer that of an older study once the patient has changed', async () => {
    const patient = { ...knownPatient, meta: { lastUpdated: minutesAgo(5).toISOString() } };
    const { reports } = await found({ patient, studies: [older, imagingStudy()], outcomes: [saidOf('s0')] });
    expect(reports).toMatchObject({ isDue: true });
    expect(reports).not.toHaveProperty('earlier');
  });

  it('says that newer data were not checked where the server says of the patient or the study not when it changed', async () => {
    const { meta: _, ...undated } = imagingStudy();
    for (const given of [{ patient: radiographed }, { studies: [undated] }]) {
      const { reports } = await found({ ...given, outcomes: [saidOf('s1')] });
      expect(reports).toMatchObject({ said: { isUnchecked: true }, isDue: false });
    }
  });

  it('is an abstention, which is due again once it is a minute old', async () => {
    const of = (minutes: number) =>
      found({
        outcomes: [
          {
            ...abstainedRecord('s1', {
              focus: 'ImagingStudy/s1',
              modelDigest: digest,
              computedAt: minutesAgo(minutes),
            }),
          },
        ],
      });
    expect((await of(0.5)).reports).toMatchObject({ said: { outcome: { state: 'abstained' } }, isDue: false });
    expect((await of(2)).reports).toMatchObject({ said: { outcome: { state: 'abstained' } }, isDue: true });
  });

  it.each([
    ['was rejected', { report: { status: 'entered-in-error' } as const }, 'rejected'],
    ['was cancelled', { report: { status: 'cancelled' } as const }, 'rejected'],
    ['was changed by somebody else', { tampered: true }, 'changed'],
  ])('DR-1: is shown to nobody, and not made again, where the report %s', async (_, given, unshown) => {
    const { reports } = await found({ ...given, outcomes: [saidOf('s1')] });
    expect(reports).toMatchObject({ unshown, isDue: false });
    expect(reports).not.toHaveProperty('said');
  });

  it('stands beside the newest report of an older study where it has none, and no other report is read', async () => {
    const oldest = imagingStudy({ id: 's00', started: '2025-12-31T23:00:00Z' });
    const reports: string[] = [];
    const outcomes = [saidOf('s00'), saidOf('s0'), saidOf('gone')];
    const { reports: answer } = await found({ studies: [oldest, older, imagingStudy()], outcomes, reports });
    expect(answer).toMatchObject({ earlier: { study: { reference: 'ImagingStudy/s0' } }, isDue: true });
    expect(reports).toEqual(['report-s0']);
  });

  it('DW-1: is never that of a study that the model does not read any more', async () => {
    const withdrawn = { ...older, status: 'entered-in-error' as const };
    const { reports } = await found({ studies: [withdrawn, imagingStudy()], outcomes: [saidOf('s0')] });
    expect(reports).not.toHaveProperty('earlier');
  });

  it.each<[string, Given]>([
    ['there is no study', { studies: [] }],
    ['the newest is not available', { studies: [imagingStudy({ status: 'registered' })] }],
    ['nobody can tell which is newest', { studies: [imagingStudy(), imagingStudy({ id: 's2' })] }],
    ['the patient has died', { patient: { ...radiographed, deceasedBoolean: true } }],
    ['the patient wants no prediction', { others: [optOut] }],
    ['no image server is configured', { withoutImages: true }],
  ])('cannot be told where %s, whatever stands: a prediction says why', async (_, given) => {
    const { reports } = await found({ ...given, outcomes: [saidOf('s1')] });
    expect(reports).toBeUndefined();
  });
});
