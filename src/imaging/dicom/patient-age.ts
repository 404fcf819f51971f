/** Days, weeks and months of a mean year of 365.25 days. */
const perYear = { D: 365.25, W: 365.25 / 7, M: 12, Y: 1 } as const;

/** Years of an age string (AS, PS3.5 6.2): `034Y`, `010M`, `006W`, `003D`; undefined for every other text. */
export function patientAgeYears(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,3})([DWMY])$/.exec(text) ?? [];
  return count === undefined || unit === undefined ? undefined : Number(count) / perYear[unit as keyof typeof perYear];
}
