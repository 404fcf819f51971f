import type { RunOptions } from '../model-catalog/run-options.ts';
import type { PredictionRequest } from './prediction-request.ts';

/** How the models of a request are run: a cohort run lets everybody else go first. */
export function runOptions({
  entrance,
  answerBy,
  givenUp,
}: Partial<Pick<PredictionRequest, 'entrance' | 'answerBy' | 'givenUp'>>): RunOptions {
  return {
    lane: entrance === 'cohort' ? 'batch' : 'interactive',
    ...(answerBy === undefined ? {} : { answerBy }),
    ...(givenUp === undefined ? {} : { signal: givenUp }),
  };
}
