import { numberText } from './figure-text.ts';
import { htmlText } from './html-text.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What is drawn into a chart. */
export type Mark =
  | { readonly kind: 'line'; readonly className: string; readonly points: readonly Point[] }
  | { readonly kind: 'dot'; readonly className: string; readonly at: Point; readonly from: number; readonly to: number }
  | { readonly kind: 'bar'; readonly className: string; readonly from: Point; readonly to: Point };

export interface Chart {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  /** What is seen, for those who do not see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly Mark[];
  readonly height?: number;
}

interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

const width = 440;
const margin = { left: 64, right: 16, top: 12, bottom: 48 } as const;
const ticks = 5;

/** A chart as inline SVG that needs nothing else: title, description, axes, marks. */
export function svgChart({ id, title, description, x, y, marks, height = 340 }: Chart): string {
  const across = scale(x, margin.left, width - margin.right);
  const up = scale(y, height - margin.bottom, margin.top);
  const draw = (mark: Mark): string => {
    switch (mark.kind) {
      case 'line': {
        const points = mark.points.map((point) => `${across(point.x)},${up(clamp(point.y, y))}`).join(' ');
        return `<polyline class="${mark.className}" points="${points}"/>`;
      }
      case 'dot': {
        const [at, low, high] = [across(mark.at.x), up(clamp(mark.from, y)), up(clamp(mark.to, y))];
        return `<g class="${mark.className}"><line x1="${at}" y1="${low}" x2="${at}" y2="${high}"/><circle cx="${at}" cy="${up(clamp(mark.at.y, y))}" r="3.5"/></g>`;
      }
      case 'bar': {
        const [left, right] = [across(mark.from.x), across(mark.to.x)];
        const [bottom, top] = [up(mark.from.y), up(mark.to.y)];
        return `<rect class="${mark.className}" x="${left}" y="${top}" width="${round(right - left)}" height="${round(bottom - top)}"/>`;
      }
    }
  };
  const along = Array.from({ length: ticks + 1 }, (_, index) => index / ticks);
  const gridX = along.map((share) => {
    const value = valueAt(x, share);
    const at = across(value);
    return `<line class="grid" x1="${at}" y1="${margin.top}" x2="${at}" y2="${height - margin.bottom}"/><text x="${at}" y="${height - margin.bottom + 16}" text-anchor="middle">${numberText(value)}</text>`;
  });
  const gridY = along.map((share) => {
    const value = valueAt(y, share);
    const at = up(value);
    return `<line class="grid" x1="${margin.left}" y1="${at}" x2="${width - margin.right}" y2="${at}"/><text x="${margin.left - 6}" y="${round(at + 4)}" text-anchor="end">${numberText(value)}</text>`;
  });
  const middle = round((height - margin.bottom + margin.top) / 2);
  return [
    `<svg role="img" aria-labelledby="${id}-title ${id}-desc" viewBox="0 0 ${width} ${height}" xmlns="http://www.w3.org/2000/svg">`,
    `<title id="${id}-title">${htmlText(title)}</title><desc id="${id}-desc">${htmlText(description)}</desc>`,
    ...gridX,
    ...gridY,
    ...marks.map(draw),
    `<text x="${(margin.left + width - margin.right) / 2}" y="${height - 10}" text-anchor="middle">${htmlText(x.label)}</text>`,
    `<text x="14" y="${middle}" text-anchor="middle" transform="rotate(-90 14 ${middle})">${htmlText(y.label)}</text>`,
    '</svg>',
  ].join('\n');
}

/** Pixels of a value; a tenth of a pixel is enough, and the same bytes everywhere. */
function scale({ from, to }: Axis, first: number, last: number): (value: number) => number {
  return (value) => round(first + ((value - from) / (to - from || 1)) * (last - first));
}

/** What rounding leaves of 0 is 0. */
function valueAt({ from, to }: Axis, share: number): number {
  const value = from + share * (to - from);
  return Math.abs(value) < (to - from) * 1e-9 ? 0 : value;
}

function clamp(value: number, { from, to }: Axis): number {
  return Math.min(to, Math.max(from, value));
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
