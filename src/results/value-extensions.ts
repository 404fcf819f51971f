import type { Extension, Observation } from '@medplum/fhirtypes';
import { isPlainNumber } from '../fhir/plain-number.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import type { ScoreDetail } from '../model-catalog/score-detail.ts';
import { extensionUrls, ucumSystem } from './canonical-urls.ts';
import { toPercent } from './percent.ts';
import { unitText } from './unit-text.ts';

/** What an Observation, or one of its components, says of its value beside it: where the true one is expected, how probable a class is. */
export function valueExtensions(outcome: Outcome, score: number, detail: ScoreDetail | undefined): Extension[] {
  if (outcome.kind === 'measurement' && outcome.interval !== undefined) {
    const { method, coverage, halfWidth, source } = outcome.interval;
    const edge = (value: number): Observation['valueQuantity'] => ({
      value: plain(value),
      unit: unitText(outcome.unit) || outcome.unit,
      system: ucumSystem,
      code: outcome.unit,
    });
    return [
      {
        url: extensionUrls.interval,
        extension: [
          { url: 'range', valueRange: { low: edge(score - halfWidth) ?? {}, high: edge(score + halfWidth) ?? {} } },
          { url: 'coverage', valueQuantity: percent(coverage) },
          { url: 'method', valueCode: method },
          { url: 'source', valueString: source },
        ],
      },
    ];
  }
  const probability = detail?.classProbability;
  return probability === undefined
    ? []
    : [{ url: extensionUrls.classProbability, valueQuantity: percent(probability) }];
}

function percent(fraction: number): { value: number; unit: string; system: string; code: string } {
  return { value: plain(toPercent(fraction)), unit: '%', system: ucumSystem, code: '%' };
}

/** What JSON would write with an exponent is nothing: these numbers qualify a value, and are none. */
function plain(value: number): number {
  return isPlainNumber(value) ? value : 0;
}
