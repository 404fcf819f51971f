import { createHash } from 'node:crypto';
import type { RiskAssessment } from '@medplum/fhirtypes';
import { predictionNamingSystem } from '../../src/results/canonical-urls.ts';
import { modelDevice } from '../../src/results/model-device.ts';
import { buildProvenance } from '../../src/results/provenance.ts';
import type { OutcomeRecord, ResultResources } from '../../src/write-back/outcome-record.ts';
import { buildRisk, resultRequest, testCard } from './result-request.ts';

/** The FHIR base of the synthetic outcomes. */
export const outcomeBase = 'http://127.0.0.1:8080/fhir/R4';

/** A record of its own; the seed stands for the inputs, so that equal seeds are equal predictions. */
export function scoredRecord(seed: string, changes: Partial<OutcomeRecord> = {}): OutcomeRecord {
  const made: OutcomeRecord = {
    identifier: '',
    tenant: 'default',
    fhirBase: outcomeBase,
    subjectId: '1',
    encounterId: '',
    focus: '',
    modelId: 'test-model',
    modelVersion: '1.2.3',
    modelDigest: resultRequest().model.digest,
    asOf: new Date('2026-03-01T09:00:00Z'),
    computedAt: new Date('2026-03-01T09:00:01Z'),
    validUntil: new Date('2027-03-01T09:00:00Z'),
    state: 'scored',
    whatIf: false,
    verdicts: { 'ascvd-10y': { state: 'score' } },
    scores: { 'ascvd-10y': 0.147 },
    ...changes,
  };
  const identity = [
    seed,
    made.tenant,
    made.fhirBase,
    made.subjectId,
    made.encounterId,
    made.focus,
    made.modelId,
    made.asOf,
  ];
  return { ...made, identifier: createHash('sha256').update(JSON.stringify(identity)).digest('hex') };
}

export function abstainedRecord(seed: string, changes: Partial<OutcomeRecord> = {}): OutcomeRecord {
  const { scores: _, ...rest } = scoredRecord(seed, changes);
  return { ...rest, state: 'abstained', verdicts: { 'ascvd-10y': { state: 'insufficient-data' } } };
}

/** What is stored for the record: a real result with the record's identifier. */
export function resourcesOf({ identifier, subjectId, encounterId }: OutcomeRecord): ResultResources & {
  readonly result: RiskAssessment;
} {
  const request = resultRequest({
    subject: { tenant: 'default', base: outcomeBase, id: subjectId, own: true },
    ...(encounterId === '' ? {} : { encounter: encounterId }),
  });
  const device = modelDevice(request.model, testCard);
  return {
    result: { ...buildRisk(request), identifier: [{ system: predictionNamingSystem, value: identifier }] },
    device,
    provenance: (target) =>
      buildProvenance({
        target,
        deviceReference: `Device/${device.id}`,
        computedAt: request.computedAt,
        recorded: request.computedAt,
        timeZone: 'UTC',
        basis: request.inputs.basis,
      }),
  };
}
