import { createHash } from 'node:crypto';
import type { Attachment, Media } from '@medplum/fhirtypes';
import { predictionNamingSystem } from './canonical-urls.ts';
import type { ResultBody } from './result-body.ts';
import type { ReportPicture, ResultRequest } from './result-request.ts';

/** Bytes as an Attachment that says how long they are, and their SHA-1 as R4 wants it. */
export function attachment(contentType: string, bytes: Uint8Array, title: string, creation: string): Attachment {
  return {
    contentType,
    data: Buffer.from(bytes).toString('base64'),
    size: bytes.length,
    hash: createHash('sha1').update(bytes).digest('base64'),
    title,
    creation,
  };
}

/** A picture of a report as a Media inside of it (DR-4). */
export function reportMedia(
  { identifier, computedAt }: Pick<ResultRequest, 'identifier' | 'computedAt'>,
  { title, png, rows, columns }: ReportPicture,
  { subject, encounter, device }: Pick<ResultBody, 'subject' | 'encounter' | 'device'>,
  { id, number }: { readonly id: string; readonly number: number },
): Media & { id: string } {
  return {
    resourceType: 'Media',
    id,
    identifier: [{ system: predictionNamingSystem, value: `${identifier}/picture-${number}` }],
    status: 'completed',
    type: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/media-type', code: 'image', display: 'Image' }],
    },
    subject,
    ...(encounter === undefined ? {} : { encounter }),
    createdDateTime: computedAt.toISOString(),
    device,
    height: rows,
    width: columns,
    content: attachment('image/png', png, title, computedAt.toISOString()),
  };
}
