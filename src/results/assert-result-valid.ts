import type { Extension } from '@medplum/fhirtypes';
import { isPlainNumber } from '../fhir/plain-number.ts';
import { PredictionError } from '../platform/errors.ts';
import { extensionUrls } from './canonical-urls.ts';
import type { ResultResource } from './result-resource.ts';

/**
 * The last gate before a result leaves: base R4 by `validate` (throws where the resource breaks it), and what R4
 * cannot say: every number is written without an exponent, every percentage lies in 0..100 and is said twice alike.
 * Throws RESULT_INVALID; such a result is never sent.
 */
export function assertResultValid(result: ResultResource, validate: (resource: ResultResource) => void): void {
  try {
    validate(result);
  } catch (cause) {
    throw new PredictionError(
      'RESULT_INVALID',
      'The result that was built is not valid FHIR R4 and was not sent: a bug.',
      { cause },
    );
  }
  if (!hasPlainNumbers(result)) {
    const where = oddNumber(result, result.resourceType);
    throw new PredictionError('RESULT_INVALID', `${where} holds a number that JSON cannot write as plain digits.`);
  }
  if (result.resourceType !== 'RiskAssessment') return;
  for (const prediction of result.prediction ?? []) {
    if (prediction.probabilityRange !== undefined) continue;
    const percent = prediction.extension?.find(({ url }: Extension) => url === extensionUrls.percent)?.valueQuantity;
    const decimal = prediction.probabilityDecimal;
    if (decimal === undefined || decimal < 0 || decimal > 100 || percent?.value !== decimal || percent.code !== '%') {
      throw new PredictionError(
        'RESULT_INVALID',
        'A prediction does not say one percentage between 0 and 100 both ways.',
      );
    }
  }
}

function hasPlainNumbers(value: unknown): boolean {
  if (typeof value === 'number') return isPlainNumber(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(hasPlainNumbers);
  for (const key in value) {
    const each: unknown = value[key as keyof typeof value];
    if (typeof each !== 'string' && !hasPlainNumbers(each)) return false;
  }
  return true;
}

/** Path of the first number with an exponent, NaN or infinity. */
function oddNumber(value: unknown, path: string): string | undefined {
  if (typeof value === 'number') return isPlainNumber(value) ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    const found = oddNumber(child, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
