import { hash } from 'node:crypto';
import type { PredictionOutcome } from '../prediction/prediction-outcome.ts';

type FeatureValue = PredictionOutcome['inputs']['features'] extends ReadonlyMap<string, infer Value> ? Value : never;

/**
 * SHA-256 (hex) of what went into the model: name, state and value of every feature (the reason where it is missing),
 * in the order of the names, as JSON; of those that are told to nobody too. Two predictions with the same hash saw the same inputs, whatever resources they
 * were read from. The values themselves are not kept; whoever knows all of them but one could still try that one.
 */
export function inputHash({ features: shown, hidden = new Map() }: PredictionOutcome['inputs']): string {
  const features = hidden.size === 0 ? shown : new Map([...shown, ...hidden]);
  const parts: unknown[] = [];
  for (const name of [...features.keys()].sort()) {
    const feature = features.get(name);
    if (feature !== undefined) parts.push([name, feature.state, ...saidOf(feature)]);
  }
  return hash('sha256', JSON.stringify(parts));
}

/** The channels of a sequence, the words of a text, and which images and numbers: their one value is only a count of them. */
function saidOf(feature: FeatureValue): unknown[] {
  if (feature.state === 'missing') return [feature.because];
  if (feature.state === 'observed' && feature.text !== undefined) return [feature.value, feature.text.content];
  if (feature.state === 'observed' && feature.image !== undefined) {
    const { digest, shape, study, images } = feature.image;
    return [feature.value, digest, shape, study.studyInstanceUid, images.map(frameParts)];
  }
  const steps = feature.state === 'derived' ? feature.steps : undefined;
  return steps === undefined ? [feature.value] : [feature.value, steps.value, steps.mask, steps.since];
}

type FeatureImage = NonNullable<Extract<FeatureValue, { state: 'observed' }>['image']>;

function frameParts({ seriesInstanceUid, sopInstanceUid, frame }: FeatureImage['images'][number]): unknown[] {
  return [seriesInstanceUid, sopInstanceUid, frame];
}
