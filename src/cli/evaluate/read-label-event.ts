import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseFhirDate } from '../../fhir/date-time.ts';
import type { Finding } from '../../model-catalog/finding.ts';
import type { LabelEvent } from '../../model-catalog/label-event-schema.ts';
import { parseLabelEvent } from '../../model-catalog/parse-model-json.ts';
import { PredictionError } from '../../platform/errors.ts';

/** Reads the declaration of labels in FHIR terms. Throws PARAMETER_INVALID with file, JSON path and reason. */
export async function readLabelEvent(
  file: string,
  now: Date,
  timeZone: string,
): Promise<{ readonly declared: LabelEvent; readonly file: { readonly name: string; readonly sha256: string } }> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new PredictionError('PARAMETER_INVALID', `--label-event ${file} cannot be read (${cause.code}).`, { cause });
  });
  const findings: Finding[] = [];
  const declared = parseLabelEvent(file, bytes, findings);
  if (declared === undefined) {
    const faults = findings.map(({ path: place, message }) => `${place === '' ? '' : `${place} `}${message}`);
    throw new PredictionError('PARAMETER_INVALID', `--label-event ${file}: ${faults.join('; ')}.`);
  }
  const until = 'date' in declared.followedUntil ? declared.followedUntil.date : undefined;
  const day = until === undefined ? undefined : parseFhirDate(until, timeZone);
  if (until !== undefined && (day === undefined || day.start > now))
    throw new PredictionError(
      'PARAMETER_INVALID',
      `--label-event ${file}: /followedUntil/date: ${until} is ${day === undefined ? 'no day of the calendar' : 'in the future, and nobody was followed until then'}.`,
    );
  return {
    declared,
    file: { name: path.basename(file), sha256: createHash('sha256').update(bytes).digest('hex') },
  };
}
