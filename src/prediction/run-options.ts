import type { RunOptions } from '../model-catalog/run-options.ts';
import type { PredictionRequest } from './prediction-request.ts';

/** How the models of a request are run: a cohort run lets everybody else go first. */
export function runOptions({
  entrance,
  answerBy,
  signal,
}: Partial<Pick<PredictionRequest, 'entrance' | 'answerBy' | 'signal'>>): RunOptions {
  return {
    lane: entrance === 'cohort' ? 'batch' : 'interactive',
    ...(answerBy === undefined ? {} : { answerBy }),
    ...(signal === undefined ? {} : { signal }),
  };
}
