const most = 400;

/**
 * At most about 400 points of a curve, its ends among them: more cannot be seen, and each point of a curve over scores may
 * be one person.
 */
export function thinCurve<Point>(points: readonly Point[]): Point[] {
  if (points.length <= most) return [...points];
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => points[Math.round(index * step)]).filter(
    (point) => point !== undefined,
  );
}
