import type { DiagnosticReport, Media, Observation, RiskAssessment } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';
import { assertResultValid } from '../../src/results/assert-result-valid.ts';
import { buildResult } from '../../src/results/build-result.ts';
import type { ResultRequest } from '../../src/results/result-request.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { coded, drawn, image, later, picture, reportRequest, spot } from '../support/report-request.ts';
import { resultRequest } from '../support/result-request.ts';

function report(
  outcomes: readonly Outcome[] = [spot, drawn, later],
  changes: Partial<ResultRequest> = {},
): DiagnosticReport {
  const result = buildResult(reportRequest(outcomes, changes));
  if (result.resourceType !== 'DiagnosticReport') throw new Error(`a ${result.resourceType}`);
  const validator = createResourceValidator();
  assertResultValid(result, (resource) => validator.validate(resource));
  return result;
}

const containedOf = <Kind extends Observation | RiskAssessment | Media>(
  { contained = [] }: DiagnosticReport,
  type: Kind['resourceType'],
): Kind[] => contained.filter(({ resourceType }) => resourceType === type) as Kind[];

describe('a report of an imaging study', () => {
  test('DR-1: is preliminary radiology under the code and the identifier of the model, valid in itself and by its profile', () => {
    const made = report();
    expect(made).toMatchObject({
      status: 'preliminary',
      category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: 'RAD' }] }],
      code: { coding: coded('phantom-report'), text: 'Phantom report' },
      identifier: [
        { system: 'https://fhirsight.org/fhir/NamingSystem/prediction', value: resultRequest().identifier },
        {
          system: 'https://fhirsight.org/fhir/NamingSystem/imaging-report',
          value: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      ],
      meta: { security: expect.arrayContaining([expect.objectContaining({ code: 'AIAST' })]) },
    });
    expect(checkResource(made)).toEqual([]);
  });

  test('DR-2: names no Device as performer, for R4 has no place for one; its parts do', () => {
    const made = report();
    expect(made.performer).toBeUndefined();
    expect(made.resultsInterpreter).toBeUndefined();
    for (const { device } of containedOf<Observation>(made, 'Observation'))
      expect(device?.reference).toBe(resultRequest().deviceReference);
  });

  test('DR-3: points to findings by result, to risks by the extension of R4 only, and to the study', () => {
    const made = report();
    expect(made.result).toEqual([{ reference: '#finding-1' }, { reference: '#finding-2' }]);
    expect(made.extension).toContainEqual({
      url: 'http://hl7.org/fhir/StructureDefinition/diagnosticReport-risk',
      valueReference: { reference: '#risk' },
    });
    expect(made.imagingStudy).toEqual([{ reference: 'ImagingStudy/s1/_history/3' }]);
    const [risk] = containedOf<RiskAssessment>(made, 'RiskAssessment');
    expect(risk?.prediction?.[0]?.probabilityDecimal).toBe(2);
  });

  test('DR-5: takes effect when the study began, and belongs to its subject', () => {
    expect(report()).toMatchObject({ effectiveDateTime: '2026-02-27T08:15:00Z', subject: { reference: 'Patient/17' } });
  });

  test('DR-5: never gives as-of as the time at which a study began: it is refused where no image was read', () => {
    const { inputs } = reportRequest([spot]);
    const unread: FeatureValue = {
      state: 'missing',
      because: 'image-damaged',
      detail: 'tests',
      sources: image.sources,
    };
    const features = new Map([['radiograph', unread]]);
    expect(() => report([spot], { inputs: { ...inputs, features } })).toThrow(
      expect.objectContaining({
        code: 'RESULT_INVALID',
        message: expect.stringContaining('when it began is not known'),
      }),
    );
  });

  test('DR-4: has a page for people whose first line says that no radiologist has read it, with the picture inside', () => {
    const made = report(undefined, { pictures: [picture] });
    const [page] = made.presentedForm ?? [];
    expect(page?.contentType).toBe('text/html');
    const html = Buffer.from(page?.data ?? '', 'base64').toString('utf8');
    expect(page?.size).toBe(Buffer.byteLength(html));
    const said = html.slice(html.indexOf('<body>'));
    expect(said.replaceAll(/<[^>]*>/g, '\n').trim()).toMatch(/^AI result, not read by a radiologist\./);
    expect(html).toContain(`data:image/png;base64,${Buffer.from(picture.png).toString('base64')}`);
    expect(html).toContain('Spot &lt;drawn&gt;: 37.0 % (370 in 1,000), unlikely');
    expect(html).not.toContain('<script');
    expect(made.conclusion).toMatch(
      /^AI result, not read by a radiologist\. Spot <drawn>: 37\.0 % \(370 in 1,000\), unlikely\. What was drawn: a box\./,
    );
    expect(made.conclusionCode?.[0]?.coding).toContainEqual(coded('box')[0]);
    const [media] = containedOf<Media>(made, 'Media');
    expect(media).toMatchObject({ height: 2, width: 3, content: { contentType: 'image/png', size: 4 } });
    expect(made.media).toEqual([{ comment: picture.title, link: { reference: '#picture-1' } }]);
    expect(checkResource(made)).toEqual([]);
  });

  test('OB-1: has an Observation for each finding, of the category imaging, part of and derived from the study', () => {
    const [first] = containedOf<Observation>(report(), 'Observation');
    const study = [{ reference: 'ImagingStudy/s1/_history/3' }];
    expect(first).toMatchObject({
      status: 'preliminary',
      category: [{ coding: [{ code: 'imaging' }] }],
      partOf: study,
      derivedFrom: study,
      valueQuantity: { value: 37, code: '%' },
      interpretation: [{ text: 'unlikely' }],
    });
    expect(first?.performer).toBeUndefined();
    expect(first?.meta).toBeUndefined();
  });

  test('says a finding that is all but excluded as a limit, which JSON can write', () => {
    const made = report([spot], { scores: new Map([['spot', 1e-12]]) });
    const [first] = containedOf<Observation>(made, 'Observation');
    expect(first?.valueQuantity).toMatchObject({ value: 0.000001, comparator: '<', code: '%' });
  });

  test('is refused where the inputs come from no study', () => {
    const { inputs } = reportRequest([spot]);
    expect(() => report([spot], { inputs: { ...inputs, features: new Map(), basis: [] } })).toThrow(/come from none/);
  });

  test('has neither result nor risk that it does not state', () => {
    expect(report([later]).result).toBeUndefined();
    expect(report([spot]).extension?.some(({ url }) => url.includes('diagnosticReport-risk'))).toBe(false);
  });
});
