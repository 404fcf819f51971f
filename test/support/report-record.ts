import type { DiagnosticReport } from '@medplum/fhirtypes';
import { amendReport } from '../../src/results/amend-report.ts';
import { buildResult } from '../../src/results/build-result.ts';
import { modelDevice } from '../../src/results/model-device.ts';
import { buildProvenance } from '../../src/results/provenance.ts';
import type { ResultRequest } from '../../src/results/result-request.ts';
import type { OutcomeRecord, ResultResources } from '../../src/write-back/outcome-record.ts';
import { outcomeBase, scoredRecord } from './outcome-record.ts';
import { reportRequest, spot } from './report-request.ts';
import { testCard } from './result-request.ts';

/** A record about a study; equal seeds are equal inputs, whatever the as-of. */
export function reportRecord(seed: string, changes: Partial<OutcomeRecord> = {}): OutcomeRecord {
  return scoredRecord(seed, { focus: 'ImagingStudy/s1', reportInputs: `inputs ${seed}`, ...changes });
}

/** What is stored for the record: a real report of one finding, of which the model says `score`. */
export function reportResources(
  record: OutcomeRecord,
  score = 0.37,
  changes: Partial<ResultRequest> = {},
): ResultResources & { readonly result: DiagnosticReport } {
  const { subjectId, computedAt, modelVersion } = record;
  const plain = reportRequest([spot]);
  const request = reportRequest([spot], {
    identifier: record.identifier,
    subject: { tenant: 'default', base: outcomeBase, id: subjectId, own: true },
    scores: new Map([['spot', score]]),
    computedAt,
    frame: { ...plain.frame, method: `Test model (test-model ${modelVersion})` },
    ...changes,
  });
  const result = buildResult(request) as DiagnosticReport;
  const device = modelDevice(request.model, testCard);
  return {
    result,
    device,
    amending: (earlier, review) => amendReport(result, earlier, { computedAt, timeZone: 'UTC' }, review),
    provenance: (target, revised) =>
      buildProvenance({
        target,
        ...(revised === undefined ? {} : { revised }),
        deviceReference: `Device/${device.id}`,
        computedAt,
        recorded: computedAt,
        timeZone: 'UTC',
        basis: request.inputs.basis,
      }),
  };
}
