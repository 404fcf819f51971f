import { clamped } from './clamped.ts';
import type { RandomStream } from './random-stream.ts';
import { dayMs } from './sample-time.ts';
import { type Situation, situationsOf } from './situations.ts';

/** What is true of one invented person at the reference date; resources are written from it with noise. */
export interface Person {
  /** Counted from 1. */
  readonly index: number;
  /** Logical id of the Patient, and prefix of every other id: `sample-0001`. */
  readonly id: string;
  readonly situations: ReadonlySet<Situation>;
  /** Fixed offset of the site that keeps the record. */
  readonly offsetMinutes: number;
  readonly ageYears: number;
  readonly birthMs: number;
  /** Nothing in the record is later. The reference date, or the day of death. */
  readonly lastMs: number;
  readonly female: boolean;
  readonly heightCm: number;
  readonly bodyMassIndex: number;
  readonly smoking: 'daily' | 'former' | 'never';
  readonly hypertension: boolean;
  readonly bloodPressureTreated: boolean;
  readonly diabetes: boolean;
  readonly statin: boolean;
  readonly cardiovascularDisease: 'none' | 'myocardial-infarction' | 'stroke' | 'heart-failure';
  readonly systolicMmHg: number;
  readonly diastolicMmHg: number;
  readonly heartRatePerMinute: number;
  readonly totalCholesterolMgPerDl: number;
  readonly hdlCholesterolMgPerDl: number;
  readonly triglyceridesMgPerDl: number;
  readonly hba1cPercent: number;
  readonly creatinineMgPerDl: number;
  readonly albuminCreatinineMgPerG: number;
}

// These decide about a prediction only where nothing else stands in its way.
const needsOrdinaryAdult: readonly Situation[] = [
  'preliminary-newer',
  'corrected',
  'entered-in-error',
  'cancelled',
  'comparator-albumin',
  'comparator-cholesterol',
  'conflict',
  'unit-missing',
  'laboratory-absent',
  'condition-refuted',
  'condition-entered-in-error',
  'condition-text-only',
  'medication-text-only',
  'smoking-unknown',
  'opted-out',
  'opt-out-ended',
  'inactive',
  'merged',
  'no-recent-encounter',
  'gender-other',
  'gender-unknown',
  'race-absent',
  'race-multiple',
  'race-unknown',
  'kidney-failure',
  'blood-pressure-crisis',
];

/** Draws the person; `referenceMs` is the start of a UTC day. */
export function drawPerson(index: number, referenceMs: number, random: RandomStream): Person {
  const situations = situationsOf(index);
  const showcase = situations.has('showcase');
  const ordinaryAdult = showcase || needsOrdinaryAdult.some((situation) => situations.has(situation));

  const ageYears = drawAge(random, showcase, ordinaryAdult);
  const female = random.chance(0.5);
  const bodyMassIndex = showcase ? random.between(26, 31) : clamped(random.normal(28.2, 4.6), 16.5, 52);
  const smoking = drawSmoking(random);
  const hypertensionChance = clamped(0.05 + (ageYears - 30) * 0.011 + (bodyMassIndex - 25) * 0.015, 0.02, 0.85);
  const hypertension = random.chance(hypertensionChance) || showcase;
  const diabetesChance = clamped(0.02 + (ageYears - 35) * 0.003 + (bodyMassIndex - 25) * 0.014, 0.01, 0.5);
  const diabetes = random.chance(diabetesChance);
  const cardiovascularDisease = drawCardiovascularDisease(
    random,
    situations.has('cardiovascular-disease'),
    ordinaryAdult
      ? 0
      : clamped((ageYears - 45) * 0.004 + (smoking === 'daily' ? 0.04 : 0) + (diabetes ? 0.03 : 0), 0, 0.25),
  );
  const bloodPressureTreated = (random.chance(0.75) || showcase) && hypertension;

  let systolicMmHg = random.normal(103 + ageYears * 0.32 + (bodyMassIndex - 25) * 0.5 + (hypertension ? 14 : 0), 8);
  if (bloodPressureTreated) systolicMmHg -= 9;
  if (showcase) systolicMmHg = random.between(134, 148);
  if (situations.has('blood-pressure-crisis')) systolicMmHg = 208;
  systolicMmHg = clamped(systolicMmHg, 96, 210);

  const untreatedCholesterol = random.normal(186 + (Math.min(ageYears, 60) - 40) * 0.5, 31);
  const statinChance =
    cardiovascularDisease !== 'none' ? 0.8 : diabetes ? 0.55 : untreatedCholesterol > 230 ? 0.4 : 0.06;
  const statin = random.chance(statinChance) && ageYears >= 30;
  const totalCholesterol = clamped(untreatedCholesterol * (statin ? 0.78 : 1), 105, 360);
  const hdlCholesterol =
    random.normal(female ? 58 : 49, 10) -
    (bodyMassIndex - 27) * 0.6 -
    (diabetes ? 4 : 0) -
    (smoking === 'daily' ? 3 : 0);
  const hba1cPercent = diabetes
    ? clamped(random.normal(7.3, 1), 6.5, 12.5)
    : clamped(random.normal(5.4, 0.25), 4.6, 6.2);

  return {
    index,
    id: sampleId(index),
    situations,
    offsetMinutes: random.pick([60, -300, 0, 60, -300]),
    ageYears,
    birthMs: birthOf(ageYears, random.integer(1, 364), referenceMs),
    lastMs:
      situations.has('deceased-dated') || situations.has('deceased-undated')
        ? referenceMs - random.integer(40, 600) * dayMs
        : referenceMs,
    female,
    heightCm: random.normal(female ? 163 : 176, 6.5),
    bodyMassIndex,
    smoking,
    hypertension,
    bloodPressureTreated,
    diabetes,
    statin: statin && !showcase,
    cardiovascularDisease,
    systolicMmHg,
    diastolicMmHg: clamped(systolicMmHg * 0.45 + 21 - Math.max(0, ageYears - 55) * 0.25 + random.normal(0, 4), 48, 125),
    heartRatePerMinute: random.normal(smoking === 'daily' ? 76 : 71, 7),
    totalCholesterolMgPerDl: showcase ? random.between(195, 235) : totalCholesterol,
    hdlCholesterolMgPerDl: showcase ? random.between(40, 54) : clamped(hdlCholesterol, 24, 96),
    triglyceridesMgPerDl: clamped(random.normal(125 + (bodyMassIndex - 27) * 4 + (diabetes ? 25 : 0), 35), 45, 390),
    hba1cPercent,
    creatinineMgPerDl: drawCreatinine(random, female, ageYears, hypertension, diabetes, situations),
    albuminCreatinineMgPerG: drawAlbumin(random, hypertension, diabetes),
  };
}

/** Four digits at least: `sample-0001`, `sample-10000`. */
export function sampleId(index: number): string {
  return `sample-${String(index).padStart(4, '0')}`;
}

function drawAge(random: RandomStream, showcase: boolean, ordinaryAdult: boolean): number {
  if (showcase) return random.integer(55, 59);
  if (ordinaryAdult) return random.integer(42, 74);
  const group = random.uniform();
  if (group < 0.18) return random.integer(18, 39);
  return group < 0.85 ? random.integer(40, 79) : random.integer(80, 95);
}

function drawSmoking(random: RandomStream): Person['smoking'] {
  const answer = random.uniform();
  if (answer < 0.16) return 'daily';
  return answer < 0.44 ? 'former' : 'never';
}

function drawCardiovascularDisease(
  random: RandomStream,
  certain: boolean,
  chance: number,
): Person['cardiovascularDisease'] {
  const kind = random.uniform();
  if (!random.chance(chance) && !certain) return 'none';
  if (kind < 0.6) return 'myocardial-infarction';
  return kind < 0.8 ? 'stroke' : 'heart-failure';
}

/** Rises with age and disease; its limits keep CKD-EPI 2021 below 140, and above 15 but for kidney failure. */
function drawCreatinine(
  random: RandomStream,
  female: boolean,
  ageYears: number,
  hypertension: boolean,
  diabetes: boolean,
  situations: ReadonlySet<Situation>,
): number {
  const disease = 1 + (hypertension ? 0.05 : 0) + (diabetes ? 0.06 : 0);
  const usual = (female ? 0.74 : 0.93) * (1 + (ageYears - 50) * 0.003) * disease * random.normal(1, 0.12);
  const chronic = random.chance(diabetes || hypertension ? 0.07 : 0.01) ? random.between(1.3, 2.1) : 1;
  if (situations.has('kidney-failure')) return random.between(6, 8);
  const [low, high] = female ? [0.52, 2.4] : [0.7, 3];
  return clamped(usual * (situations.has('showcase') ? 1 : chronic), low, high);
}

function drawAlbumin(random: RandomStream, hypertension: boolean, diabetes: boolean): number {
  const skew = random.uniform() * random.uniform() * random.uniform();
  return 6 + skew * (diabetes ? 420 : hypertension ? 120 : 40);
}

/** A day on which the person was born to be `ageYears` old at the reference and not a day older than a year more. */
function birthOf(ageYears: number, daysBefore: number, referenceMs: number): number {
  const reference = new Date(referenceMs);
  return (
    Date.UTC(reference.getUTCFullYear() - ageYears, reference.getUTCMonth(), reference.getUTCDate()) -
    daysBefore * dayMs
  );
}
