import type { Extension, Quantity } from '@medplum/fhirtypes';
import type { Contribution } from '../explanation/contribution.ts';
import type { FeatureScalar, FeatureValue } from '../features/feature-vector.ts';
import { extensionUrls, ucumSystem } from './canonical-urls.ts';
import { isPlainNumber, smallestPlainPercent, toPercent } from './percent.ts';
import type { FeatureLabel } from './result-request.ts';
import { toReference } from './source-reference.ts';
import { unitText } from './unit-text.ts';

/**
 * One feature of the map as the extension `prediction-input`: value, unit, time, sources, state and contributions. An
 * original that JSON would write with an exponent (9e-12 kg/uL) is left out: the source has it.
 */
export function predictionInput(
  name: string,
  label: FeatureLabel,
  value: FeatureValue,
  contributions: readonly Contribution[],
): Extension {
  const parts: Extension[] = [
    { url: 'name', valueString: name },
    { url: 'label', valueString: label.label },
  ];
  if (value.state !== 'missing') parts.push(valuePart(value.value, label.unit));
  parts.push({ url: 'state', valueCode: value.state });
  if ('at' in value && value.at !== undefined) parts.push({ url: 'at', valueDateTime: value.at });
  for (const source of value.sources) parts.push({ url: 'source', valueReference: toReference(source) });
  if (value.state === 'derived') parts.push(...value.from.map((from) => ({ url: 'from', valueString: from })));
  if (value.state === 'missing') parts.push({ url: 'reason', valueCode: value.because });
  if ('detail' in value) parts.push({ url: 'detail', valueString: value.detail });
  if (value.state === 'observed' && value.original !== undefined && isPlainNumber(value.original.value)) {
    parts.push({ url: 'original', valueQuantity: { value: value.original.value, unit: value.original.unit } });
  }
  for (const contribution of contributions) parts.push(contributionPart(contribution));
  return { url: extensionUrls.input, extension: parts };
}

function valuePart(value: FeatureScalar, unit: string | undefined): Extension {
  if (typeof value === 'boolean') return { url: 'value', valueBoolean: value };
  if (typeof value === 'string') return { url: 'value', valueCode: value };
  return { url: 'value', valueQuantity: ucumQuantity(value, unit ?? '1') };
}

function ucumQuantity(value: number, unit: string): Quantity {
  return { value, unit: unitText(unit) || unit, system: ucumSystem, code: unit };
}

function contributionPart({ outcome, difference }: Contribution): Extension {
  const points = percentagePoints(difference);
  const quantity: Quantity = { value: points, unit: 'percentage points', system: ucumSystem, code: '%' };
  return {
    url: 'contribution',
    extension: [
      { url: 'outcome', valueCode: outcome },
      { url: 'difference', valueQuantity: quantity },
    ],
  };
}

/** A difference of probabilities in percentage points; 0 where it is smaller than a millionth of one. */
export function percentagePoints(difference: number): number {
  const points = toPercent(difference);
  return Math.abs(points) < smallestPlainPercent ? 0 : points;
}
