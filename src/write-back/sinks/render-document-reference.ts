import type { DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
import { stringifyFhirJson } from '../../fhir/fhir-json.ts';
import type { ResultResource } from '../../results/result-resource.ts';
import { deviceOf } from './device-of.ts';

/** The result as a document: the resource itself, and its narrative as plain text. */
export function renderDocumentReference(
  result: ResultResource,
  identifier: { readonly system: string; readonly value: string },
  superseded: boolean,
): DocumentReference {
  const isRisk = result.resourceType === 'RiskAssessment';
  const isReport = result.resourceType === 'DiagnosticReport';
  const kind = isRisk ? 'Risk prediction' : isReport ? 'AI imaging report' : 'Computed score';
  const title = (isReport ? result.code.text : result.method?.text) ?? kind;
  const plain = plainText(result.text?.div ?? '');
  const author = deviceOf(result);
  const { encounter } = result;
  const madeAt = isRisk ? result.occurrenceDateTime : result.issued;
  return {
    resourceType: 'DocumentReference',
    ...(result.meta === undefined ? {} : { meta: result.meta }),
    identifier: [identifier],
    status: isReport && result.status === 'entered-in-error' ? result.status : superseded ? 'superseded' : 'current',
    docStatus: isReport ? docStatusOf(result) : 'preliminary',
    type: { text: kind },
    subject: result.subject as DocumentReference['subject'] & object,
    ...(madeAt === undefined ? {} : { date: new Date(madeAt).toISOString() }),
    ...(author === undefined ? {} : { author: [author] as DocumentReference['author'] & object }),
    description: title,
    securityLabel: (result.meta?.security ?? []).map((coding) => ({ coding: [coding] })),
    content: [
      {
        attachment: {
          contentType: 'application/fhir+json',
          data: Buffer.from(stringifyFhirJson(result)).toString('base64'),
          title,
        },
      },
      // The page for people, as it is.
      ...(isReport ? (result.presentedForm ?? []).map((attachment) => ({ attachment })) : []),
      ...(plain === ''
        ? []
        : [
            {
              attachment: {
                contentType: 'text/plain; charset=utf-8',
                data: Buffer.from(plain).toString('base64'),
                title,
              },
            },
          ]),
    ],
    ...(encounter === undefined ? {} : { context: { encounter: [encounter] } }),
  };
}

/** What a person made of a report holds of the document too. */
function docStatusOf({ status }: DiagnosticReport): DocumentReference['docStatus'] {
  return status === 'amended' || status === 'final' || status === 'entered-in-error' ? status : 'preliminary';
}

/** The narrative without its markup, a line per paragraph, item and row. */
function plainText(div: string): string {
  return div
    .replace(/<\/t[dh]><t[dh]>/g, '\t')
    .replace(/<\/(?:p|li|tr|ul|table)>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replace(/\n{2,}/g, '\n')
    .trim();
}
