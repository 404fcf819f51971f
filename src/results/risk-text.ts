import type { Band } from '../model-catalog/outcome-schema.ts';
import { bandAt } from '../model-catalog/outcome-score.ts';
import { shiftDecimal, smallestPlainPercent, toPercent } from './percent.ts';

const mostDecimals = 12;

/**
 * A probability as a reader should meet it: `14.7 % (147 in 1,000)`. The percentage has one decimal, or as many more
 * as it takes to stay on its side of 0, of 100 and of every band edge (7.49 % is not written as 7.5 % where the edge
 * is 7.5 %); the frequency says exactly the same number.
 * @param probability 0..1, unrounded
 */
export function riskText(probability: number, bands: readonly Band[] = []): string {
  const percent = toPercent(probability);
  if (probability > 0 && percent < smallestPlainPercent) {
    return 'less than 0.000001 % (fewer than 1 in 100,000,000)';
  }
  const text = percentText(percent, probability, bands);
  const point = text.indexOf('.');
  const decimals = text.length - point - 1;
  const count = `${text.slice(0, point)}${text.slice(point + 1)}`;
  return `${text} % (${grouped(count)} in ${grouped(`1${'0'.repeat(decimals + 2)}`)})`;
}

function percentText(percent: number, probability: number, bands: readonly Band[]): string {
  const band = bandAt(bands, probability);
  for (let decimals = 1; decimals <= mostDecimals; decimals++) {
    const text = percent.toFixed(decimals);
    const shown = Number(`${text}e-2`);
    const tellsTheSame =
      shown > 0 === probability > 0 && shown < 1 === probability < 1 && bandAt(bands, shown) === band;
    if (tellsTheSame) return text;
  }
  return withOneDecimal(shiftDecimal(String(probability), 2));
}

function withOneDecimal(numeral: string): string {
  return numeral.includes('.') ? numeral : `${numeral}.0`;
}

/** 0001234567 as 1,234,567. */
function grouped(digits: string): string {
  let start = 0;
  while (start < digits.length - 1 && digits[start] === '0') start += 1;
  let end = digits.length;
  let text = '';
  for (; end - start > 3; end -= 3) text = `,${digits.slice(end - 3, end)}${text}`;
  return `${digits.slice(start, end)}${text}`;
}
