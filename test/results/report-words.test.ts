import type { DiagnosticReport } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { buildResult } from '../../src/results/build-result.ts';
import { reportFirstLine } from '../../src/results/report-first-line.ts';
import { reportProbability } from '../../src/results/report-probability.ts';
import { reviewReport } from '../../src/results/review-report.ts';
import { drawn, reportRequest, spot } from '../support/report-request.ts';

const details = new Map([['drawn', { classProbability: 0.831 }]]);
const report = buildResult(reportRequest([spot, drawn], { details })) as DiagnosticReport;

it('DR-1: the first line of a report says that nobody has read it, or who has', () => {
  expect(reportFirstLine(report)).toBe('AI result, not read by a radiologist.');
  const reviewer = 'https://ehr.example/Practitioner/a&b';
  const review = { verdict: 'confirmed', reviewer, at: new Date('2026-03-01T10:00:00Z') } as const;
  expect(reportFirstLine(reviewReport(report, review, 'UTC'))).toBe(
    `AI result, read and confirmed by ${reviewer} on 2026-03-01T10:00:00Z.`,
  );
});

it('a narrative of somebody else has no first line, and none is made up', () => {
  const div = '<div xmlns="http://www.w3.org/1999/xhtml">Fine.</div>';
  expect(() => reportFirstLine({ id: '1', text: { status: 'generated', div } })).toThrow(RangeError);
});

it('OB-1: the probability of a class is the one that its finding states, and no other finding has one', () => {
  expect(reportProbability(report, 'drawn')).toBeCloseTo(0.831, 12);
  expect(reportProbability(report, 'spot')).toBeUndefined();
  expect(reportProbability(report, 'unknown')).toBeUndefined();
});
