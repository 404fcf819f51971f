import type { LogEvent } from '../platform/events.ts';
import { predict } from './predict.ts';
import type { PredictionOutcome } from './prediction-outcome.ts';
import type { PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';

/** `predict` with one event for what came of it; never a value, a name or an id of the subject. */
export async function loggedPredict(
  parts: PredictionParts,
  request: PredictionRequest,
  event: (event: LogEvent) => void,
): Promise<PredictionOutcome> {
  const started = performance.now();
  const { tenant } = parts;
  try {
    const outcome = await predict({ ...parts, event }, request);
    const { model, identifier, inputs } = outcome;
    const common = {
      model: `${model.id}@${model.version}`,
      tenant,
      result: identifier,
      durationMs: performance.now() - started,
    };
    if (outcome.state === 'abstained') {
      const verdicts = [...new Set([...inputs.verdicts.values()].map(({ state }) => state))];
      event({ name: 'prediction.abstained', ...common, verdicts });
    } else {
      const whatIf = request.inputs.length > 0;
      event({
        name: 'prediction.made',
        ...common,
        predictions: outcome.scores.size,
        resourcesRead: inputs.basis.length,
        whatIf,
      });
    }
    return outcome;
  } catch (error) {
    event({ name: 'prediction.failed', model: request.model.slice(0, 64), tenant, error });
    throw error;
  }
}
