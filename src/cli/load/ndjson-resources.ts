import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';

/** A resource with its id, and the line of the file that it stands on, from 1. */
export interface NdjsonResource {
  readonly resource: Resource & { readonly id: string };
  readonly line: number;
  /** UTF-8 bytes of the line. */
  readonly bytes: number;
}

/**
 * The resources of an NDJSON file, one a line, in its order; empty lines are passed over. Nothing is kept of them.
 * Throws PARAMETER_INVALID where the file cannot be read, or a line is no resource with an id: file and line are named.
 * @see https://hl7.org/fhir/R4/nd-json.html
 */
export async function* ndjsonResources(file: string): AsyncGenerator<NdjsonResource> {
  const stream = createReadStream(file);
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  let line = 0;
  try {
    for await (const text of lines) {
      line += 1;
      if (text.trim() === '') continue;
      yield { resource: resourceOf(text, `${file}, line ${line}`), line, bytes: Buffer.byteLength(text) };
    }
  } catch (cause) {
    if (cause instanceof PredictionError || !(cause instanceof Error && 'syscall' in cause && 'code' in cause))
      throw cause;
    throw new PredictionError('PARAMETER_INVALID', `${file} cannot be read (${cause.code}); name an NDJSON file.`, {
      cause,
    });
  } finally {
    lines.close();
    stream.destroy();
  }
}

function resourceOf(text: string, place: string): NdjsonResource['resource'] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(place, 'is not JSON', cause);
  }
  if (
    typeof value !== 'object' ||
    value === null ||
    !('resourceType' in value) ||
    typeof value.resourceType !== 'string'
  )
    throw invalid(place, 'is no FHIR resource: it has no resourceType');
  if (!('id' in value) || typeof value.id !== 'string')
    throw invalid(place, 'has no id, under which it would be stored');
  return value as NdjsonResource['resource'];
}

function invalid(place: string, what: string, cause?: unknown): PredictionError {
  return new PredictionError(
    'PARAMETER_INVALID',
    `${place} ${what}. Each line is one FHIR R4 resource as JSON, with its id.`,
    {
      cause,
    },
  );
}
