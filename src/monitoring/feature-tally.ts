import type { NamedModel, PredictionOutcome } from '../prediction/prediction-outcome.ts';

/** How often a feature of a model version was in a state. */
export interface FeatureCount {
  readonly model: string;
  readonly version: string;
  readonly feature: string;
  readonly state: 'observed' | 'derived' | 'asserted' | 'imputed' | 'assumed-absent' | 'missing';
  /** Why, where it is missing; else empty. */
  readonly because: string;
  readonly count: number;
}

export interface FeatureTally {
  add(model: NamedModel, features: PredictionOutcome['inputs']['features']): void;
  counts(): FeatureCount[];
}

/**
 * Counts states of features since the start. A prediction has dozens of features, so that counting must cost next to
 * nothing; the metrics take the counts over when they are asked for.
 */
export function createFeatureTally(): FeatureTally {
  const versions = new Map<string, { model: NamedModel; features: Map<string, Map<string, number>> }>();
  return {
    add(model, features) {
      const key = `${model.id}@${model.version}`;
      let version = versions.get(key);
      if (version === undefined) {
        version = { model, features: new Map() };
        versions.set(key, version);
      }
      for (const [name, value] of features) {
        let states = version.features.get(name);
        if (states === undefined) {
          states = new Map();
          version.features.set(name, states);
        }
        const state = value.state === 'missing' ? value.because : `=${value.state}`;
        states.set(state, (states.get(state) ?? 0) + 1);
      }
    },
    counts: () =>
      [...versions.values()].flatMap(({ model, features }) =>
        [...features].flatMap(([feature, states]) =>
          [...states].map(([state, count]): FeatureCount => {
            const missing = !state.startsWith('=');
            return {
              model: model.id,
              version: model.version,
              feature,
              state: missing ? 'missing' : (state.slice(1) as FeatureCount['state']),
              because: missing ? state : '',
              count,
            };
          }),
        ),
      ),
  };
}
