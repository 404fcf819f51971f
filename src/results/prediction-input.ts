import type { Extension, Quantity } from '@medplum/fhirtypes';
import type { Contribution, Scale } from '../explanation/contribution.ts';
import type { FeatureScalar, FeatureValue } from '../features/feature-vector.ts';
import { isPlainNumber } from '../fhir/plain-number.ts';
import type { Outcome } from '../model-catalog/outcome-schema.ts';
import { extensionUrls, ucumSystem } from './canonical-urls.ts';
import { contributionAmount } from './contribution-amount.ts';
import { imagePart } from './image-part.ts';
import type { InputFrame } from './input-frame.ts';
import { toReference } from './source-reference.ts';

/** How much a feature moved the score of an outcome. */
export interface ToldContribution extends Omit<Contribution, 'feature' | 'outcome'> {
  readonly outcome: Outcome;
  readonly scale: Scale;
}

/**
 * One feature of the map as the extension `prediction-input`: value, unit, time, sources, state and contributions. An
 * original that JSON would write with an exponent (9e-12 kg/uL) is left out: the source has it.
 */
export function predictionInput(
  frame: InputFrame,
  value: FeatureValue,
  contributions: readonly ToldContribution[] | undefined,
): Extension {
  const parts: Extension[] = [frame.name, frame.label];
  if (value.state !== 'missing') parts.push(valuePart(value.value, frame));
  parts.push(stateParts[value.state]);
  if ('at' in value && value.at !== undefined) parts.push({ url: 'at', valueDateTime: value.at });
  for (const source of value.sources) parts.push({ url: 'source', valueReference: toReference(source) });
  if (value.state === 'derived') for (const from of value.from) parts.push({ url: 'from', valueString: from });
  if (value.state === 'derived' && value.model !== undefined) parts.push({ url: 'model', valueString: value.model });
  if ('because' in value) parts.push({ url: 'reason', valueCode: value.because });
  if ('detail' in value && value.detail !== undefined) parts.push({ url: 'detail', valueString: value.detail });
  if (value.state === 'observed' && value.original !== undefined && isPlainNumber(value.original.value)) {
    parts.push({ url: 'original', valueQuantity: value.original });
  }
  if (value.state === 'observed' && value.image !== undefined) parts.push(imagePart(value.image));
  if (contributions !== undefined) for (const each of contributions) parts.push(contributionPart(each));
  return { url: extensionUrls.input, extension: parts };
}

/** Shared by all results, as are the two values of a yes-or-no feature. */
const stateParts: Readonly<Record<FeatureValue['state'], Extension>> = {
  observed: statePart('observed'),
  derived: statePart('derived'),
  asserted: statePart('asserted'),
  imputed: statePart('imputed'),
  'assumed-absent': statePart('assumed-absent'),
  missing: statePart('missing'),
};
const yes: Extension = { url: 'value', valueBoolean: true };
const no: Extension = { url: 'value', valueBoolean: false };

function statePart(state: FeatureValue['state']): Extension {
  return { url: 'state', valueCode: state };
}

function valuePart(value: FeatureScalar, { unit, unitText }: InputFrame): Extension {
  if (typeof value === 'boolean') return value ? yes : no;
  if (typeof value === 'string') return { url: 'value', valueCode: value };
  return { url: 'value', valueQuantity: { value, unit: unitText || unit, system: ucumSystem, code: unit } };
}

function contributionPart({ outcome, scale, difference, part, standardError }: ToldContribution): Extension {
  return {
    url: 'contribution',
    extension: [
      { url: 'outcome', valueCode: outcome.id },
      { url: 'difference', valueQuantity: quantityOf(outcome, scale, difference) },
      ...(standardError === undefined
        ? []
        : [{ url: 'standardError', valueQuantity: quantityOf(outcome, scale, standardError) }]),
      ...(part === undefined
        ? []
        : [{ url: part.kind, valuePositiveInt: (part.kind === 'bin' ? part.bin : part.index) + 1 }]),
    ],
  };
}

function quantityOf(outcome: Outcome, scale: Scale, difference: number): Quantity {
  const { value, unit, code } = contributionAmount(outcome, scale, difference);
  return { value, unit: unit || code, system: ucumSystem, code };
}
