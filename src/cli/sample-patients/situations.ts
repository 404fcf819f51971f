/**
 * What is special about some sample patients. Each appears at fixed places in every hundred patients, so that even
 * the hundred of a first start hold all of them, whatever the seed.
 */
export type Situation =
  | 'showcase' // the patient of the README: can be scored by every model of the repository, with a rich record
  | 'deceased-dated'
  | 'deceased-undated'
  | 'inactive'
  | 'merged' // replaced by the patient before
  | 'gender-other'
  | 'gender-unknown'
  | 'race-absent'
  | 'race-multiple'
  | 'race-unknown'
  | 'no-recent-encounter'
  | 'in-hospital' // an encounter in progress
  | 'opted-out'
  | 'opt-out-ended' // a Consent that no longer holds
  | 'preliminary-newer' // a preliminary cholesterol newer than the final one
  | 'corrected' // the newest cholesterol is corrected; the wrong one is entered-in-error
  | 'entered-in-error' // an absurd blood pressure, newest of all
  | 'cancelled' // the newest cholesterol and blood pressure were cancelled
  | 'comparator-albumin' // urine albumin below the limit of detection
  | 'comparator-cholesterol' // cholesterol above the measuring range
  | 'conflict' // two final cholesterols at the same instant
  | 'unit-missing'
  | 'laboratory-absent'
  | 'condition-refuted'
  | 'condition-entered-in-error'
  | 'condition-text-only'
  | 'medication-contained'
  | 'medication-referenced'
  | 'medication-text-only'
  | 'smoking-unknown'
  | 'cardiovascular-disease'
  | 'kidney-failure'
  | 'blood-pressure-crisis';

const placesInHundred: Readonly<Record<Situation, readonly number[]>> = {
  showcase: [],
  'deceased-dated': [7, 58, 83],
  'deceased-undated': [31],
  inactive: [13],
  merged: [19],
  'gender-other': [23, 78],
  'gender-unknown': [61],
  'race-absent': [29, 47, 71],
  'race-multiple': [37],
  'race-unknown': [88],
  'no-recent-encounter': [11, 43, 67, 91],
  'in-hospital': [34, 84],
  'opted-out': [17, 53, 79],
  'opt-out-ended': [97],
  'preliminary-newer': [3, 33, 63],
  corrected: [5, 35, 65],
  'entered-in-error': [9, 39, 69],
  cancelled: [12, 42, 72],
  'comparator-albumin': [15, 46],
  'comparator-cholesterol': [45],
  conflict: [21, 51],
  'unit-missing': [27],
  'laboratory-absent': [25, 55],
  'condition-refuted': [8, 38],
  'condition-entered-in-error': [18, 48],
  'condition-text-only': [76],
  'medication-contained': [2, 32],
  'medication-referenced': [4, 40],
  'medication-text-only': [6, 66],
  'smoking-unknown': [81],
  'cardiovascular-disease': [14, 54, 94],
  'kidney-failure': [28],
  'blood-pressure-crisis': [44],
};

/** The situations of patient `index`, counted from 1. The first patient has its own. */
export function situationsOf(index: number): ReadonlySet<Situation> {
  if (index === 1) return new Set(['showcase', 'medication-contained', 'medication-referenced', 'preliminary-newer']);
  const place = index % 100;
  const situations = Object.entries(placesInHundred) as [Situation, readonly number[]][];
  return new Set(situations.filter(([, places]) => places.includes(place)).map(([situation]) => situation));
}
