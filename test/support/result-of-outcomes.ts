import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';
import { outcomeScore } from '../../src/model-catalog/outcome-score.ts';
import type { ScoreDetail } from '../../src/model-catalog/score-detail.ts';
import { scoreDetail } from '../../src/model-catalog/score-detail.ts';
import { createResultFrame } from '../../src/results/result-frame.ts';
import type { ResultRequest } from '../../src/results/result-request.ts';
import { resultRequest } from './result-request.ts';

/** What a result is built from where a model has these outcomes and its outputs are this row. */
export function resultOfOutcomes(outcomes: Outcome[], row: readonly number[]): ResultRequest {
  const request = resultRequest();
  const manifest = { ...request.model.manifest, outcomes };
  const details = new Map<string, ScoreDetail>();
  for (const outcome of outcomes) {
    const detail = scoreDetail(outcome, row);
    if (detail !== undefined) details.set(outcome.id, detail);
  }
  return {
    ...request,
    model: { ...request.model, manifest },
    frame: createResultFrame(manifest, request.features),
    inputs: { ...request.inputs, verdicts: new Map(outcomes.map(({ id }) => [id, { state: 'score' }])) },
    scores: new Map(outcomes.map((outcome) => [outcome.id, outcomeScore(outcome, row)])),
    details,
    explanation: { none: 'not asked for' },
  };
}
