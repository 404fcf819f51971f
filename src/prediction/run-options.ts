import type { RunOptions } from '../model-catalog/run-options.ts';
import type { PredictionRequest } from './prediction-request.ts';

/** How the models of a request are run: a cohort run and a shadow let everybody else go first. */
export function runOptions({
  entrance,
  answerBy,
  givenUp,
  shadow,
}: Partial<Pick<PredictionRequest, 'entrance' | 'answerBy' | 'givenUp' | 'shadow'>>): RunOptions {
  return {
    lane: entrance === 'cohort' || shadow === true ? 'batch' : 'interactive',
    ...(answerBy === undefined ? {} : { answerBy }),
    ...(givenUp === undefined ? {} : { signal: givenUp }),
  };
}
