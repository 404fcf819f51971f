import { PredictionError } from '../platform/errors.ts';
import type { LogEvent } from '../platform/events.ts';
import { callerBase } from '../records/caller-reader.ts';
import { predict } from './predict.ts';
import type { PredictionOutcome } from './prediction-outcome.ts';
import type { PredictionParts } from './prediction-parts.ts';
import type { PredictionRequest } from './prediction-request.ts';

/** `predict` with an event for what came of it; never a value, a name or an id of the subject. */
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
      ...(request.shadow === true ? { shadow: true as const } : {}),
    };
    if (outcome.state === 'abstained') {
      const verdicts = [...new Set([...inputs.verdicts.values()].map(({ state }) => state))];
      event({ name: 'prediction.abstained', ...common, verdicts });
    } else {
      const whatIf = request.inputs.length > 0 || request.origin?.from === 'caller';
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
    if (error instanceof PredictionError && error.code === 'RECORD_UNREACHABLE') {
      event({ name: 'record.unreachable', base: baseOf(parts, request), error });
    }
    if (error instanceof PredictionError && error.code === 'IMAGES_UNREACHABLE') {
      event({ name: 'images.unreachable', error });
    }
    event({ name: 'prediction.failed', ...knownModel(parts, request), tenant, error });
    throw error;
  }
}

/** The server that the record was asked of; where the call names it, without the path, which may hold anything. */
function baseOf({ source }: PredictionParts, { origin }: PredictionRequest): string {
  if (origin === undefined) return source.base;
  return origin.from === 'caller' ? callerBase : new URL(origin.base).origin;
}

/** The model by the name its own manifest gives it: what the caller sent as a model may be a person's name. */
function knownModel(parts: PredictionParts, { model, version }: PredictionRequest): { readonly model?: string } {
  try {
    const { manifest } = parts.findModel(model, version);
    return { model: `${manifest.id}@${manifest.version}` };
  } catch {
    return {}; // the failure that is being logged
  }
}
