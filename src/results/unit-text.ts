const readable: Readonly<Record<string, string>> = {
  '1': '',
  '{character}': 'characters',
  '{frame}': 'frames',
  a: 'years',
  mo: 'months',
  d: 'days',
  'mm[Hg]': 'mmHg',
  'kg/m2': 'kg/m²',
  'mL/min/{1.73_m2}': 'mL/min/1.73 m²',
};

/** A UCUM unit as a reader writes it; one without a common spelling stays UCUM. */
export function unitText(unit: string): string {
  return readable[unit] ?? unit;
}
