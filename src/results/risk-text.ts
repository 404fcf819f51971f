import type { Band } from '../model-catalog/manifest-schema.ts';
import { shiftDecimal, smallestPlainPercent, toPercent } from './percent.ts';
import { bandAt } from './risk-band.ts';

const mostDecimals = 12;

/**
 * A probability as a reader should meet it: `14.7 % (147 in 1,000)`. The percentage has one decimal, or as many more
 * as it takes to stay on its side of 0, of 100 and of every band edge (7.49 % is not written as 7.5 % where the edge
 * is 7.5 %); the frequency says exactly the same number.
 * @param probability 0..1, unrounded
 */
export function riskText(probability: number, bands: readonly Band[] = []): string {
  if (probability > 0 && toPercent(probability) < smallestPlainPercent) {
    return 'less than 0.000001 % (fewer than 1 in 100,000,000)';
  }
  const percent = percentText(probability, bands);
  const decimals = percent.split('.')[1]?.length ?? 0;
  const count = shiftDecimal(percent, decimals);
  return `${percent} % (${grouped(count)} in ${grouped(`1${'0'.repeat(decimals + 2)}`)})`;
}

function percentText(probability: number, bands: readonly Band[]): string {
  const percent = toPercent(probability);
  for (let decimals = 1; decimals <= mostDecimals; decimals++) {
    const text = percent.toFixed(decimals);
    if (tellsTheSame(Number(shiftDecimal(text, -2)), probability, bands)) return text;
  }
  return withOneDecimal(shiftDecimal(String(probability), 2));
}

function tellsTheSame(rounded: number, probability: number, bands: readonly Band[]): boolean {
  return (
    rounded > 0 === probability > 0 &&
    rounded < 1 === probability < 1 &&
    bandAt(bands, rounded) === bandAt(bands, probability)
  );
}

function withOneDecimal(numeral: string): string {
  return numeral.includes('.') ? numeral : `${numeral}.0`;
}

/** 1234567 as 1,234,567. */
function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}
