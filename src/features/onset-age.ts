import type { FamilyMemberHistoryCondition, Quantity } from '@medplum/fhirtypes';
import { compileQuantity } from './quantity.ts';

const inYears = compileQuantity('a');
const limitsInYears = compileQuantity('a', { limits: { '<': 'limit', '<=': 'limit', '>': 'limit', '>=': 'limit' } });

/** Whether a disease of a relative began before an age in years; `unknown` where what is said of its onset does not tell. */
export function beganBefore(
  { onsetAge, onsetRange }: FamilyMemberHistoryCondition,
  years: number,
): boolean | 'unknown' {
  if (onsetAge !== undefined) return ageBefore(onsetAge, years);
  const low = yearsOf(onsetRange?.low);
  const high = yearsOf(onsetRange?.high);
  // A range to 59 years holds all of that year of life.
  if (high !== undefined && high < years) return true;
  return low !== undefined && low >= years ? false : 'unknown';
}

/** An age without a comparator is in completed units: 59 years are before 60. */
function ageBefore(age: Quantity, years: number): boolean | 'unknown' {
  const reading = limitsInYears(age);
  if ('because' in reading) return 'unknown';
  const { value } = reading;
  switch (age.comparator) {
    case undefined:
      return value < years;
    case '<':
      return value <= years ? true : 'unknown';
    case '<=':
      return value < years ? true : 'unknown';
    default:
      return value >= years ? false : 'unknown';
  }
}

function yearsOf(quantity: Quantity | undefined): number | undefined {
  const reading = quantity === undefined ? undefined : inYears(quantity);
  return reading === undefined || 'because' in reading ? undefined : reading.value;
}
