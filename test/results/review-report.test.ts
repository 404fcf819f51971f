import type { DiagnosticReport, Media, Observation, RiskAssessment } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { buildResult } from '../../src/results/build-result.ts';
import { buildReviewProvenance } from '../../src/results/review-provenance.ts';
import { type ReportReview, reviewReport } from '../../src/results/review-report.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { drawn, later, picture, reportRequest, spot } from '../support/report-request.ts';

const made = buildResult(reportRequest([spot, drawn, later], { pictures: [picture] })) as DiagnosticReport;
const at = new Date('2026-03-02T08:00:00Z');
const by = (verdict: ReportReview['verdict']): ReportReview => ({ verdict, reviewer: 'Practitioner/17', at });
const pageOf = ({ presentedForm: [page] = [] }: DiagnosticReport) =>
  Buffer.from(page?.data ?? '', 'base64').toString('utf8');
const statuses = ({ contained = [] }: DiagnosticReport) =>
  (contained as (Observation | RiskAssessment | Media)[]).map(({ resourceType, status }) => [resourceType, status]);
const [confirmed, rejected] = (['confirmed', 'rejected'] as const).map((verdict) =>
  reviewReport(made, by(verdict), 'UTC'),
) as [DiagnosticReport, DiagnosticReport];

describe('a report that a person confirmed', () => {
  test('DR-1 DR-5: is final, its findings and risks too, and issued when it was read', () => {
    expect(confirmed).toMatchObject({ status: 'final', issued: at.toISOString() });
    expect(statuses(confirmed)).toEqual([
      ['Observation', 'final'],
      ['Observation', 'final'],
      ['RiskAssessment', 'final'],
      ['Media', 'completed'],
    ]);
    expect(checkResource(confirmed)).toEqual([]);
  });

  test('DR-6: has the person as its interpreter, and its first line says who has read it and when, wherever it stands', () => {
    expect(confirmed.resultsInterpreter).toEqual([{ reference: 'Practitioner/17' }]);
    const first = 'AI result, read and confirmed by Practitioner/17 on 2026-03-02T08:00:00';
    expect(confirmed.conclusion?.startsWith(first)).toBe(true);
    expect(confirmed.text?.div).toContain(`<p><b>${first}`);
    expect(pageOf(confirmed)).toContain(`<p class="first">${first}`);
    expect(pageOf(confirmed)).toContain('<tr><th>Status</th><td>final</td></tr>');
    for (const text of [confirmed.conclusion, confirmed.text?.div, pageOf(confirmed)])
      expect(text).not.toContain('not read by a radiologist');
  });

  test('says what the model said, still asserted by an AI and by its Device', () => {
    expect(confirmed.meta).toEqual(made.meta);
    expect(confirmed.identifier).toEqual(made.identifier);
    const values = ({ contained = [] }: DiagnosticReport) =>
      contained.map((part) => ({ ...part, status: undefined, issued: undefined }));
    expect(values(confirmed)).toEqual(values(made));
    expect(confirmed.conclusionCode).toEqual(made.conclusionCode);
  });
});

describe('a report that a person rejected', () => {
  test('DR-1 DR-5: is entered in error with all that is inside of it: no reader takes any of it for valid', () => {
    expect(rejected.status).toBe('entered-in-error');
    expect(new Set(statuses(rejected).map(([, status]) => status))).toEqual(new Set(['entered-in-error']));
    expect(rejected.resultsInterpreter).toBeUndefined();
    expect(checkResource(rejected)).toEqual([]);
  });

  test('repeats no finding in its conclusion and codes none; its page shows them as withdrawn', () => {
    expect(rejected.conclusion).toMatch(
      /^AI result, read and rejected by Practitioner\/17 on 2026-03-02T08:00:00\S* What it says is withdrawn: do not use it\.$/,
    );
    expect(rejected.conclusionCode).toBeUndefined();
    expect(pageOf(rejected)).toContain('<h2>Findings, withdrawn</h2>');
    expect(pageOf(rejected)).not.toContain('<h2>Findings</h2>');
  });

  test('DR-6: names no interpreter any more where it was confirmed before', () => {
    const withdrawn = reviewReport(confirmed, { ...by('rejected'), reviewer: 'Practitioner/18' }, 'UTC');
    expect(withdrawn).toEqual({ ...reviewReport(made, { ...by('rejected'), reviewer: 'Practitioner/18' }, 'UTC') });
  });
});

test('a reviewer whose address holds markup cannot write into the page', () => {
  const reviewer = 'https://ehr.example/<b>&"/Practitioner/17';
  expect(pageOf(reviewReport(made, { ...by('confirmed'), reviewer }, 'UTC'))).not.toContain('<b>&"');
});

test('PRV-1 PRV-2: the Provenance of a review has the person as verifier, the Device of the model as author, and revises what was read', () => {
  const provenance = buildReviewProvenance({
    target: 'DiagnosticReport/r/_history/2',
    revised: 'DiagnosticReport/r/_history/1',
    review: by('confirmed'),
    deviceReference: 'Device/model-1',
    timeZone: 'UTC',
    security: [],
  });
  expect(provenance.agent).toMatchObject([
    { type: { coding: [{ code: 'verifier' }] }, who: { reference: 'Practitioner/17' } },
    { type: { coding: [{ code: 'author' }] }, who: { reference: 'Device/model-1' } },
  ]);
  expect(provenance.entity).toEqual([{ role: 'revision', what: { reference: 'DiagnosticReport/r/_history/1' } }]);
  expect(checkResource(provenance)).toEqual([]);
});

describe('the checker refuses', () => {
  test.each([
    [
      'DR-6: a final report without an interpreter',
      () => ({ ...confirmed, resultsInterpreter: undefined }),
      /It is final where/,
    ],
    [
      'DR-6: an interpreter of what nobody has read',
      () => ({ ...made, resultsInterpreter: [{ reference: 'Practitioner/17' }] }),
      /It is final where/,
    ],
    [
      'DR-5: a final report of preliminary findings',
      () => ({ ...confirmed, contained: made.contained }),
      /Findings and risks are final/,
    ],
    [
      'DR-5: a withdrawn report whose findings look valid',
      () => ({ ...rejected, contained: confirmed.contained }),
      /Findings and risks are final/,
    ],
  ] as const)('%s', (_, faulty, said) => {
    const report = JSON.parse(JSON.stringify(faulty())) as DiagnosticReport;
    expect(
      checkResource(report)
        .map(({ message }) => message)
        .join(),
    ).toMatch(said);
  });

  test('PRV-1: a review by a Device', () => {
    const provenance = buildReviewProvenance({
      target: 'DiagnosticReport/r/_history/2',
      revised: 'DiagnosticReport/r/_history/1',
      review: { ...by('confirmed'), reviewer: 'Device/model-1' },
      deviceReference: 'Device/model-1',
      timeZone: 'UTC',
      security: [],
    });
    expect(
      checkResource(provenance)
        .map(({ message }) => message)
        .join(),
    ).toMatch(/The verifier is a practitioner/);
  });
});
