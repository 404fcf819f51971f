import { readAssertedInputs } from '../features/asserted-input.ts';
import { extractFeatures } from '../features/extract-features.ts';
import type { ModelInputs } from '../features/feature-vector.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import { gatherRecord } from '../records/gather-record.ts';
import type { Subject } from '../records/subject.ts';
import type { PredictableModel, PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';
import { type OpenOrigin, openOrigin } from './record-origin.ts';

/** What the first two steps need of the house. */
export type InputParts = Pick<
  PredictionParts,
  'tenant' | 'source' | 'subjectBase' | 'openServer' | 'validate' | 'timeZone'
>;

export type InputRequest = Pick<
  PredictionRequest,
  'subject' | 'encounter' | 'origin' | 'seed' | 'inputs' | 'signal'
> & {
  readonly asOf: Date;
};

/** What the first two steps give. */
export interface ReadInputs {
  readonly subject: Subject;
  readonly origin: Omit<OpenOrigin, 'close'>;
  readonly record: ClinicalRecord;
  readonly inputs: ModelInputs;
}

/**
 * Steps 1 and 2 of the path, gather and extract, in the only place that joins them: a prediction and a row of the training
 * matrix begin with the very same call, so that they cannot read different data.
 * Throws what `gatherRecord` throws, and PARAMETER_INVALID for asserted values that do not fit.
 * @param onGathered called between the two steps
 */
export async function readModelInputs(
  parts: InputParts,
  { manifest, compiled, queriesAt }: Pick<PredictableModel, 'manifest' | 'compiled' | 'queriesAt'>,
  request: InputRequest,
  onGathered: () => void = () => undefined,
): Promise<ReadInputs> {
  const { asOf } = request;
  const asserted = readAssertedInputs(request.inputs, compiled);
  const queries = queriesAt(asOf);
  const origin = await openOrigin(parts, request, queries);
  const subject: Subject = { tenant: parts.tenant, base: origin.subjectBase, id: request.subject };
  const record = await gatherRecord({
    source: origin.source,
    subject: { ...subject, base: origin.source.base },
    queries,
    seed: origin.seed,
    asOf,
    ...(request.encounter === undefined ? {} : { encounter: request.encounter }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  }).finally(origin.close);
  onGathered();
  const inputs = extractFeatures(record, compiled, manifest, asserted, parts.timeZone);
  return { subject, origin, record, inputs };
}
