import type { Figure } from '../figure.ts';
import { htmlText } from './html-text.ts';

/** A number with three digits that say something, as people read it; exponents only where there is no other way. */
export function numberText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  if (size >= 100) return value.toFixed(1);
  return value.toFixed(size >= 10 ? 2 : size < 0.01 ? 5 : 3);
}

/** A figure as HTML: the number with its interval, or why one of them is not there. */
export function figureHtml(figure: Figure): string {
  if ('unavailable' in figure) return `<span class="none">not available: ${htmlText(figure.unavailable)}</span>`;
  const value = `<b>${numberText(figure.value)}</b>`;
  if ('noInterval' in figure) return `${value} <span class="none">(no interval: ${htmlText(figure.noInterval)})</span>`;
  return `${value} (${numberText(figure.interval.low)} to ${numberText(figure.interval.high)})`;
}
