import type { DiagnosticReport, Observation } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { readPart10 } from '../../src/imaging/dicom/read-part10.ts';
import { comprehensiveReport } from '../../src/imaging/objects/comprehensive-report.ts';
import { buildResult } from '../../src/results/build-result.ts';
import { reportContent } from '../../src/results/report-content.ts';
import type { ResultRequest } from '../../src/results/result-request.ts';
import { type ReviewVerdict, reviewReport } from '../../src/results/review-report.ts';
import { resultOrigin } from '../imaging/support/result-origin.ts';
import { coded, image, picture, reportRequest } from '../support/report-request.ts';

function report(changes: Partial<ResultRequest> = {}): DiagnosticReport {
  const result = buildResult(reportRequest(undefined, changes));
  if (result.resourceType !== 'DiagnosticReport') throw new Error(`a ${result.resourceType}`);
  return result;
}

const percent = { system: 'http://unitsofmeasure.org', code: '%' };

describe('what a structured report says of a report', () => {
  test('AIR-1: is its findings, its classes and its risks, under their codes and with their numbers', () => {
    expect(reportContent(report({ pictures: [picture] }), 'phantom')).toEqual({
      conclusion: expect.stringMatching(/^AI result, not read by a radiologist\./),
      isFinal: false,
      procedure: { ...coded('phantom-report')[0], display: 'Phantom report' },
      outcomes: [
        {
          id: 'spot',
          concept: { ...coded('spot')[0], display: 'Spot <drawn>' },
          said: { kind: 'number', value: 37, unit: { ...percent, display: '%' } },
        },
        {
          id: 'drawn',
          concept: { ...coded('drawn')[0], display: 'What was drawn' },
          said: { kind: 'code', value: expect.objectContaining({ code: 'box', display: 'a box' }) },
        },
        {
          id: 'later',
          concept: {
            system: 'https://fhirsight.org/fhir/CodeSystem/outcome-phantom',
            code: 'later',
            display: 'Something later',
          },
          said: { kind: 'number', value: 2, unit: { ...percent, display: 'percent' } },
        },
      ],
    });
  });

  test('is nothing where a person has rejected the report, and the same where one has confirmed it, final, in words that say who', () => {
    const made = report();
    const by = (verdict: ReviewVerdict) =>
      reviewReport(made, { verdict, reviewer: 'Practitioner/17', at: new Date('2026-03-02T08:00:00Z') }, 'UTC');
    expect(() => reportContent(by('rejected'), 'phantom')).toThrow(/withdrawn/);
    expect(reportContent(by('confirmed'), 'phantom')).toEqual({
      ...reportContent(made, 'phantom'),
      isFinal: true,
      conclusion: expect.stringMatching(/^AI result, read and confirmed by Practitioner\/17 /),
    });
  });

  test('says of an outcome of which the model abstains that it was not computed, and why', () => {
    const reasons = [{ reason: 'out-of-range', message: 'The image is too small.' }] as const;
    const made = report({
      inputs: {
        features: new Map([['radiograph', image]]),
        verdicts: new Map([
          ['spot', { state: 'score' }],
          ['drawn', { state: 'score' }],
          ['later', { state: 'insufficient', reasons }],
        ]) as unknown as ResultRequest['inputs']['verdicts'],
        basis: image.sources,
      },
    });
    expect(reportContent(made, 'phantom').outcomes.at(-1)).toEqual({
      id: 'later',
      concept: expect.objectContaining({ code: 'later', display: 'Something later' }),
      said: { kind: 'text', text: 'Not computed: The image is too small.' },
    });
  });

  test('says of a risk that is too small to be written what it is below, not that it is none', () => {
    const scores = new Map([
      ['spot', 0.37],
      ['drawn', 1],
      ['later', 1e-12],
    ]);
    expect(reportContent(report({ scores }), 'phantom').outcomes.at(-1)?.said).toEqual({
      kind: 'text',
      text: 'above 0 % and below 0.000001 %',
    });
  });

  test('is never made of a part that it has no place for', () => {
    const made = report();
    const [finding] = (made.contained ?? []) as Observation[];
    const without = { ...made, contained: [{ ...finding, valueQuantity: undefined } as Observation] };
    expect(() => reportContent(without, 'phantom')).toThrow('no place for the value of spot');
    const other = { ...made, contained: [{ resourceType: 'Basic', code: { text: 'x' } } as const] };
    expect(() => reportContent(other, 'phantom')).toThrow('no place for Basic');
  });

  test('is a whole document', () => {
    const file = comprehensiveReport(resultOrigin(), reportContent(report(), 'phantom'));
    expect(readPart10(file).frames).toEqual([]);
    expect(Buffer.from(file).toString('latin1')).toContain('Spot <drawn>');
  });
});
