import type { CodeableConcept, DiagnosticReport, Media, Observation, RiskAssessment } from '@medplum/fhirtypes';
import { isRisk } from '../model-catalog/outcome-score.ts';
import { PredictionError } from '../platform/errors.ts';
import { reportNamingSystem } from './canonical-urls.ts';
import { fhirDateTime } from './duration.ts';
import type { OutcomeSentence } from './narrative.ts';
import type { OutcomeFrame } from './outcome-frame.ts';
import { plainText } from './plain-text.ts';
import { reportFinding } from './report-finding.ts';
import { reportIdentifier } from './report-identifier.ts';
import { attachment, reportMedia } from './report-media.ts';
import { notRead, reportPage } from './report-page.ts';
import { reportRisk } from './report-risk.ts';
import { withFirstLine } from './report-standing.ts';
import { resultBody } from './result-body.ts';
import type { ResultRequest } from './result-request.ts';
import { toReference } from './source-reference.ts';
import { isImagingStudy, studyOf, studyStarted } from './study-of.ts';

/** Extension of R4 by which a report points to a RiskAssessment, which `result` may not (DR-3). */
const diagnosticReportRisk = 'http://hl7.org/fhir/StructureDefinition/diagnosticReport-risk';

const radiology = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: 'RAD', display: 'Radiology' }],
};

/**
 * What a model says of an imaging study as a preliminary DiagnosticReport (DR-1 to DR-5): a contained Observation for each
 * finding, one RiskAssessment for all risks, a Media for each picture, and a page for people. Its code and identifier are
 * the model's own; no Device stands where R4 wants a person or an organization (DR-2).
 * Throws RESULT_INVALID where the inputs name no ImagingStudy, or no image of it was read: a report is of one, and as-of is
 * not when it began.
 */
export function buildDiagnosticReport(request: ResultRequest, outcomes: readonly OutcomeFrame[]): DiagnosticReport {
  const { frame, model, computedAt, timeZone, pictures = [] } = request;
  const { report } = model.manifest;
  if (report === undefined) throw new RangeError(`${model.id}@${model.version} makes no reports`);
  const times = frame.timesOf(request.asOf, timeZone);
  const at = studyStarted(request);
  const study = studyOf(request);
  if (study === undefined)
    throw new PredictionError(
      'RESULT_INVALID',
      `${model.id}@${model.version} makes reports of imaging studies, and its inputs come from none.`,
    );
  if (at === undefined)
    throw new PredictionError(
      'RESULT_INVALID',
      `${model.id}@${model.version} makes reports of what was read of ${study}, and nothing was: when it began is not known. The model must not score without an image.`,
    );
  const { sentences, findings, risk } = partsOf(request, outcomes, at);
  const body = resultBody(request, times, sentences);
  const studies = body.basis.filter(isImagingStudy);
  const media = pictures.map((picture, index) =>
    reportMedia(request, picture, body, { id: `picture-${index + 1}`, number: index + 1 }),
  );
  const contained: (Observation | RiskAssessment | Media)[] = [
    ...findings,
    ...(risk === undefined ? [] : [risk]),
    ...media,
  ];
  const order = body.basedOn?.reference?.split('/').at(-2) === 'ServiceRequest' ? body.basedOn : undefined;
  const conclusion = [notRead, ...sentences.map(({ xhtml }) => `${plainText(xhtml)}.`)].join(' ');
  const page = reportPage({
    title: report.title,
    first: notRead,
    warnings: warningsOf(request),
    facts: [
      ['Subject', body.subject.reference ?? ''],
      ...studies.map(({ reference = '' }): [string, string] => ['Imaging study', reference]),
      ['Study began', at],
      ['Model', frame.method],
      ['Computed', fhirDateTime(computedAt, timeZone)],
      ['Status', 'preliminary'],
    ],
    findings: sentences.map(({ xhtml }) => xhtml),
    pictures,
    narrative: body.text.div ?? '',
  });
  return {
    resourceType: 'DiagnosticReport',
    meta: body.meta,
    text: withFirstLine(body.text, notRead),
    contained,
    extension: [
      ...body.extension,
      ...(risk === undefined ? [] : [{ url: diagnosticReportRisk, valueReference: { reference: `#${risk.id}` } }]),
    ],
    identifier: [
      ...body.identifier,
      { system: reportNamingSystem, value: reportIdentifier({ modelId: model.id, subject: request.subject, study }) },
    ],
    ...(order === undefined ? {} : { basedOn: [order as NonNullable<DiagnosticReport['basedOn']>[number]] }),
    status: 'preliminary',
    category: [radiology],
    code: { coding: report.coding.map((one) => ({ ...one })), text: report.title },
    subject: body.subject,
    ...(body.encounter === undefined ? {} : { encounter: body.encounter }),
    effectiveDateTime: at,
    issued: computedAt.toISOString(),
    ...(findings.length === 0 ? {} : { result: findings.map(({ id }) => ({ reference: `#${id}` })) }),
    imagingStudy: studies.map((source) => toReference(source) as NonNullable<DiagnosticReport['imagingStudy']>[number]),
    ...(media.length === 0
      ? {}
      : { media: media.map(({ id, content }) => ({ comment: content.title ?? '', link: { reference: `#${id}` } })) }),
    conclusion,
    ...conclusionCodes(findings),
    presentedForm: [attachment('text/html', Buffer.from(page, 'utf8'), report.title, computedAt.toISOString())],
  };
}

interface Parts {
  /** In the order of the outcomes. */
  readonly sentences: readonly OutcomeSentence[];
  readonly findings: readonly (Observation & { id: string })[];
  readonly risk?: RiskAssessment & { id: string };
}

/** Contained resources name their subject and study as the report does; what they say is its narrative too. */
function partsOf(request: ResultRequest, outcomes: readonly OutcomeFrame[], at: string): Parts {
  const times = request.frame.timesOf(request.asOf, request.timeZone);
  const body = resultBody(request, times, []);
  const risks = outcomes.filter(({ outcome }) => isRisk(outcome));
  const risk = risks.length === 0 ? undefined : reportRisk(request, risks, body, { id: 'risk', times });
  const said = new Map(risks.map(({ outcome }, index) => [outcome.id, risk?.said[index]?.xhtml ?? '']));
  const findings = outcomes
    .filter(({ outcome }) => !isRisk(outcome))
    .map((frame, index) => {
      const { observation, said: value } = reportFinding(request, frame, body, { id: `finding-${index + 1}`, at });
      said.set(frame.outcome.id, value.xhtml);
      return observation;
    });
  return {
    sentences: outcomes.map(({ outcome, labelXhtml }) => ({
      outcome,
      xhtml: `${labelXhtml}: ${said.get(outcome.id)}`,
    })),
    findings,
    ...(risk === undefined ? {} : { risk: risk.assessment }),
  };
}

function warningsOf({ frame, testData }: ResultRequest): string[] {
  return [
    ...(frame.demonstration === undefined ? [] : [frame.demonstration]),
    ...(testData ? ['Test data: about no real person, not for clinical use.'] : []),
  ];
}

/** Codes that the findings give, so that a reader of codes meets the same as a reader of words (DR-4). */
function conclusionCodes(findings: readonly Observation[]): { conclusionCode?: CodeableConcept[] } {
  const codes = findings.flatMap(({ valueCodeableConcept }) => valueCodeableConcept ?? []);
  return codes.length === 0 ? {} : { conclusionCode: codes };
}
