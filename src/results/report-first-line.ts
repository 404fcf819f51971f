import type { DiagnosticReport } from '@medplum/fhirtypes';

const firstLine = /^<div [^>]*><p><b>([^<]*)<\/b><\/p>/;
const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };

/**
 * What a report of ours says of itself before anything else: that no radiologist has read it, or who has. Throws RangeError for
 * a report of somebody else, whose narrative may begin with anything.
 */
export function reportFirstLine({ text, id }: Pick<DiagnosticReport, 'text' | 'id'>): string {
  const line = firstLine.exec(text?.div ?? '')?.[1];
  if (line === undefined) throw new RangeError(`DiagnosticReport/${id} does not begin with its first line`);
  return line.replaceAll(/&(?:amp|lt|gt|quot);/g, (entity) => entities[entity] ?? entity);
}
