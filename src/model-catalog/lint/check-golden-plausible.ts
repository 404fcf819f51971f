import type { Finding } from '../finding.ts';
import { plausibleRange } from '../plausible-range.ts';
import type { LintedModel } from './linted-model.ts';

/** A golden input should be a value that the server would let through to the model. */
export function checkGoldenPlausible({ featureMap, golden }: LintedModel): Finding[] {
  return golden.flatMap(({ file, content }) =>
    content.cases.flatMap(({ inputs }, index) =>
      Object.entries(inputs).flatMap(([name, value]) => {
        const range = Object.hasOwn(featureMap.features, name) ? plausibleRange(featureMap.features[name]) : undefined;
        if (range === undefined || typeof value !== 'number' || (value >= range[0] && value <= range[1])) return [];
        const message = `is ${value}, outside the plausible range ${range[0]} to ${range[1]}; no patient reaches the model with it`;
        return [{ file, path: `/cases/${index}/inputs/${name}`, message }];
      }),
    ),
  );
}
