import { PredictionError } from '../platform/errors.ts';
import type { PredictionOutcome } from '../prediction/prediction-outcome.ts';
import type { MemberResult } from './member-table.ts';

const longestMessage = 500;

/** What a run keeps of an outcome: the first score in the order of the manifest, or why there is none. */
export function memberResult(ordinal: number, outcome: PredictionOutcome): MemberResult {
  const { identifier, inputs } = outcome;
  if (outcome.state === 'abstained') {
    // The first outcome stands for the member, as its score would.
    const [verdict] = inputs.verdicts.values();
    const reasons =
      verdict === undefined || verdict.state === 'score'
        ? []
        : verdict.reasons.map(({ reason }) => `${verdict.state}:${reason}`);
    return { ordinal, state: 'abstained', reasons: [...new Set(reasons)], result: identifier };
  }
  const id = [...inputs.verdicts.keys()].find((candidate) => outcome.scores.has(candidate));
  const score = id === undefined ? undefined : outcome.scores.get(id);
  if (id === undefined || score === undefined) {
    throw new PredictionError('INTERNAL', 'A scored outcome has no score.');
  }
  const band = outcome.levels.get(id)?.code;
  const { resource: stored } = outcome;
  return {
    ordinal,
    state: 'scored',
    outcome: id,
    score,
    reasons: [],
    result: identifier,
    ...(band === undefined ? {} : { band }),
    ...(stored?.id === undefined ? {} : { resource: `${stored.resourceType}/${stored.id}` }),
  };
}

/** A member nothing could be said about. Of an error that is a bug, the run keeps no text: it may quote the record. */
export function failedMember(ordinal: number, error: unknown): MemberResult {
  const known = error instanceof PredictionError && error.code !== 'INTERNAL' ? error : undefined;
  const message = known?.message ?? 'The server failed on this member; the log says more.';
  return {
    ordinal,
    state: 'failed',
    reasons: [],
    error: { code: known?.code ?? 'INTERNAL', message: message.slice(0, longestMessage) },
  };
}
