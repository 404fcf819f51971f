import type { OutcomeRecord } from '../write-back/outcome-record.ts';
import type { Abstained, Scored } from './prediction-outcome.ts';

/** What of an outcome is kept. */
type Recorded =
  | Pick<Abstained, 'state' | 'model' | 'asOf' | 'identifier' | 'inputs'>
  | Pick<Scored, 'state' | 'model' | 'asOf' | 'identifier' | 'inputs' | 'scores'>;

/** The row of `outcomes` for one prediction or abstention. */
export function outcomeToRecord(
  outcome: Recorded,
  made: {
    readonly subject: { readonly tenant: string; readonly base: string; readonly id: string };
    readonly encounter?: string;
    readonly focus?: string;
    readonly computedAt: Date;
    readonly validUntil: Date;
    readonly whatIf: boolean;
    readonly reportInputs?: string;
    readonly passes?: true;
  },
): OutcomeRecord {
  const { model, asOf, identifier, inputs } = outcome;
  return {
    identifier,
    tenant: made.subject.tenant,
    fhirBase: made.subject.base,
    subjectId: made.subject.id,
    encounterId: made.encounter ?? '',
    focus: made.focus ?? '',
    modelId: model.id,
    modelVersion: model.version,
    modelDigest: model.digest,
    asOf,
    computedAt: made.computedAt,
    validUntil: made.validUntil,
    state: outcome.state,
    whatIf: made.whatIf,
    verdicts: Object.fromEntries(
      [...inputs.verdicts].map(([id, verdict]) => [
        id,
        verdict.state === 'score'
          ? { state: verdict.state }
          : { state: verdict.state, reasons: verdict.reasons.map(({ reason }) => reason) },
      ]),
    ),
    ...(made.reportInputs === undefined ? {} : { reportInputs: made.reportInputs }),
    ...(made.passes === undefined ? {} : { passes: made.passes }),
    ...(outcome.state === 'scored' ? { scores: Object.fromEntries(outcome.scores) } : {}),
  };
}
