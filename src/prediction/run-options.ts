import type { RunOptions } from '../model-catalog/run-options.ts';
import type { PredictionRequest } from './prediction-request.ts';

/**
 * How the models of a request are run: a cohort run and a shadow let everybody else go first.
 * @param over aborted when nobody waits for this run any more, though for others of the request
 */
export function runOptions(
  {
    entrance,
    answerBy,
    givenUp,
    shadow,
  }: Partial<Pick<PredictionRequest, 'entrance' | 'answerBy' | 'givenUp' | 'shadow'>>,
  over?: AbortSignal,
): RunOptions {
  const signal = givenUp !== undefined && over !== undefined ? AbortSignal.any([givenUp, over]) : (givenUp ?? over);
  return {
    lane: entrance === 'cohort' || shadow === true ? 'batch' : 'interactive',
    ...(answerBy === undefined ? {} : { answerBy }),
    ...(signal === undefined ? {} : { signal }),
  };
}
