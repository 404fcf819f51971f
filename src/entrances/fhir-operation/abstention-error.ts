import { type ErrorIssue, PredictionError } from '../../platform/errors.ts';
import type { Abstained } from '../../prediction/prediction-outcome.ts';

/** An abstention in the shape of FHIR: 422, one issue for each input or rule and why, with the outcomes it concerns. */
export function abstentionError(abstained: Abstained): PredictionError {
  const issues = new Map<string, { verdict: string; message: string; outcomes: string[] }>();
  for (const [outcome, verdict] of abstained.inputs.verdicts) {
    if (verdict.state === 'score') continue;
    for (const { reason, message } of verdict.reasons) {
      const key = `${verdict.state} ${reason}`;
      const issue = issues.get(key) ?? { verdict: verdict.state, message: `${reason}: ${message}`, outcomes: [] };
      issue.outcomes.push(outcome);
      issues.set(key, issue);
    }
  }
  const model = `${abstained.model.id}@${abstained.model.version}`;
  return new PredictionError(
    'ABSTAINED',
    `${model} abstains as of ${abstained.asOf.toISOString()}: no number is given.`,
    {
      issues: [...issues.values()].map(
        ({ verdict, message, outcomes }): ErrorIssue => ({
          code: 'business-rule',
          reason: verdict,
          message: `${verdict}: ${message} [${outcomes.join(', ')}]`,
        }),
      ),
    },
  );
}
