import type { DocumentReference, RiskAssessment } from '@medplum/fhirtypes';
import { stringifyFhirJson } from '../../fhir/fhir-json.ts';

/** The result as a document: the RiskAssessment itself, and its narrative as plain text. */
export function renderDocumentReference(
  result: RiskAssessment,
  identifier: { readonly system: string; readonly value: string },
  superseded: boolean,
): DocumentReference {
  const title = result.method?.text ?? 'Risk prediction';
  const plain = plainText(result.text?.div ?? '');
  const { performer, encounter, occurrenceDateTime } = result;
  return {
    resourceType: 'DocumentReference',
    ...(result.meta === undefined ? {} : { meta: result.meta }),
    identifier: [identifier],
    status: superseded ? 'superseded' : 'current',
    docStatus: 'preliminary',
    type: { text: 'Risk prediction' },
    subject: result.subject as DocumentReference['subject'] & object,
    ...(occurrenceDateTime === undefined ? {} : { date: new Date(occurrenceDateTime).toISOString() }),
    ...(performer === undefined ? {} : { author: [performer] as DocumentReference['author'] & object }),
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
