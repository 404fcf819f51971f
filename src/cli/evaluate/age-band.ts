const edges = [18, 45, 65, 75] as const;

/** The band of an age in years, as reports name it; undefined for what is no age. */
export function ageBand(years: number): string | undefined {
  if (!Number.isFinite(years) || years < 0 || years > 150) return undefined;
  const above = edges.findIndex((edge) => years < edge);
  if (above === 0) return `0 to ${edges[0] - 1}`;
  return above < 0 ? `${edges.at(-1)} and over` : `${edges[above - 1]} to ${(edges[above] ?? 0) - 1}`;
}
