import { seededRandom } from './seeded-random.ts';

/** Rows of a made-up matrix of a shipped model, as text, by column. */
export type MadeRow = Readonly<Record<string, string>>;

/** People with the inputs of the PREVENT base model, and an event that gets likelier with age, smoking and blood pressure. */
export function preventRows(count: number, seed: number): MadeRow[] {
  const random = seededRandom(seed);
  const between = (least: number, most: number): number => Math.round(least + random() * (most - least));
  return Array.from({ length: count }, () => {
    const age = between(30, 79);
    const isFemale = random() < 0.5;
    const pressure = between(100, 170);
    const smokes = Number(random() < 0.2);
    const logit = -3 + 0.07 * (age - 50) + 0.02 * (pressure - 120) + 0.8 * smokes;
    return {
      sex: isFemale ? 'female' : 'male',
      age: `${age}`,
      'x.0.age': `${age}`,
      'x.1.sex': `${Number(isFemale)}`,
      'x.2.totalCholesterol': `${between(140, 280)}`,
      'x.3.hdlCholesterol': `${between(30, 80)}`,
      'x.4.systolicBloodPressure': `${pressure}`,
      'x.5.bodyMassIndex': `${between(19, 38)}`,
      'x.6.estimatedGfr': `${between(45, 110)}`,
      'x.7.diabetes': `${Number(random() < 0.15)}`,
      'x.8.currentSmoker': `${smokes}`,
      'x.9.antihypertensiveMedication': `${Number(random() < 0.3)}`,
      'x.10.statinMedication': `${Number(random() < 0.3)}`,
      event: `${Number(random() < 1 / (1 + Math.exp(-logit)))}`,
    };
  });
}

/** As CSV with the columns of the first row. */
export function csvOf(rows: readonly MadeRow[]): string {
  const names = Object.keys(rows[0] ?? {});
  return [names, ...rows.map((row) => names.map((name) => row[name] ?? ''))]
    .map((cells) => `${cells.join(',')}\r\n`)
    .join('');
}
