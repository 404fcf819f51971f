import type { LoincCode } from './build-observation.ts';
import type { Person } from './draw-person.ts';

/** How a laboratory reports: US units under method-bound codes, US units under other codes, or SI units. */
export type LaboratoryStyle = 'conventional' | 'conventional-blood' | 'si';

interface Report {
  readonly code: LoincCode;
  readonly unit: string;
  /** Reported value = `perUnit` · value in the concept's own unit. */
  readonly perUnit: number;
  readonly decimals: number;
}

export interface LaboratoryConcept {
  readonly name:
    | 'total-cholesterol'
    | 'hdl'
    | 'ldl'
    | 'triglycerides'
    | 'creatinine'
    | 'hba1c'
    | 'glucose'
    | 'sodium'
    | 'potassium'
    | 'albumin'
    | 'ast'
    | 'alt'
    | 'platelets';
  readonly group: 'lipids' | 'metabolic' | 'diabetes' | 'liver';
  /** The person's usual value, and the spread of one measurement around it, in the concept's own unit. */
  readonly usual: (person: Person) => number;
  readonly spread: number;
  readonly low: number;
  readonly high: number;
  readonly reports: Readonly<Record<LaboratoryStyle, Report>>;
}

function report(code: string, display: string, unit: string, decimals: number, perUnit = 1): Report {
  return { code: { code, display }, unit, perUnit, decimals };
}

function everywhere(one: Report): Record<LaboratoryStyle, Report> {
  return { conventional: one, 'conventional-blood': one, si: one };
}

function inUnits(conventional: Report, si: Report): Record<LaboratoryStyle, Report> {
  return { conventional, 'conventional-blood': conventional, si };
}

// mmol/L per mg/dL of cholesterol 0.02586, of triglycerides 1/88.57, of glucose 1/18.016; µmol/L per mg/dL of creatinine 88.4.
export const laboratoryCatalogue: readonly LaboratoryConcept[] = [
  {
    name: 'total-cholesterol',
    group: 'lipids',
    usual: (person) => person.totalCholesterolMgPerDl,
    spread: 8,
    low: 95,
    high: 380,
    reports: inUnits(
      report('2093-3', 'Cholesterol [Mass/volume] in Serum or Plasma', 'mg/dL', 0),
      report('14647-2', 'Cholesterol [Moles/volume] in Serum or Plasma', 'mmol/L', 2, 0.02586),
    ),
  },
  {
    name: 'hdl',
    group: 'lipids',
    usual: (person) => person.hdlCholesterolMgPerDl,
    spread: 2.5,
    low: 21,
    high: 99,
    reports: inUnits(
      report('2085-9', 'Cholesterol in HDL [Mass/volume] in Serum or Plasma', 'mg/dL', 0),
      report('14646-4', 'Cholesterol in HDL [Moles/volume] in Serum or Plasma', 'mmol/L', 2, 0.02586),
    ),
  },
  {
    name: 'ldl',
    group: 'lipids',
    usual: (person) => person.totalCholesterolMgPerDl - person.hdlCholesterolMgPerDl - person.triglyceridesMgPerDl / 5,
    spread: 6,
    low: 20,
    high: 300,
    reports: inUnits(
      report('13457-7', 'Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation', 'mg/dL', 0),
      report('39469-2', 'Cholesterol in LDL [Moles/volume] in Serum or Plasma by calculation', 'mmol/L', 2, 0.02586),
    ),
  },
  {
    name: 'triglycerides',
    group: 'lipids',
    usual: (person) => person.triglyceridesMgPerDl,
    spread: 14,
    low: 40,
    high: 420,
    reports: inUnits(
      report('2571-8', 'Triglyceride [Mass/volume] in Serum or Plasma', 'mg/dL', 0),
      report('14927-8', 'Triglyceride [Moles/volume] in Serum or Plasma', 'mmol/L', 2, 1 / 88.57),
    ),
  },
  {
    name: 'creatinine',
    group: 'metabolic',
    usual: (person) => person.creatinineMgPerDl,
    spread: 0.03,
    low: 0.5,
    high: 9,
    reports: {
      conventional: report('2160-0', 'Creatinine [Mass/volume] in Serum or Plasma', 'mg/dL', 2),
      'conventional-blood': report('38483-4', 'Creatinine [Mass/volume] in Blood', 'mg/dL', 2),
      si: report('14682-9', 'Creatinine [Moles/volume] in Serum or Plasma', 'umol/L', 0, 88.4),
    },
  },
  {
    name: 'glucose',
    group: 'metabolic',
    usual: (person) => 28.7 * person.hba1cPercent - 52,
    spread: 10,
    low: 62,
    high: 420,
    reports: {
      conventional: report('2345-7', 'Glucose [Mass/volume] in Serum or Plasma', 'mg/dL', 0),
      'conventional-blood': report('2339-0', 'Glucose [Mass/volume] in Blood', 'mg/dL', 0),
      si: report('14749-6', 'Glucose [Moles/volume] in Serum or Plasma', 'mmol/L', 1, 1 / 18.016),
    },
  },
  {
    name: 'sodium',
    group: 'metabolic',
    usual: () => 139.5,
    spread: 2,
    low: 128,
    high: 149,
    reports: everywhere(report('2951-2', 'Sodium [Moles/volume] in Serum or Plasma', 'mmol/L', 0)),
  },
  {
    name: 'potassium',
    group: 'metabolic',
    usual: (person) => (person.bloodPressureTreated ? 4.1 : 4.25),
    spread: 0.3,
    low: 3,
    high: 5.9,
    reports: everywhere(report('2823-3', 'Potassium [Moles/volume] in Serum or Plasma', 'mmol/L', 1)),
  },
  {
    name: 'hba1c',
    group: 'diabetes',
    usual: (person) => person.hba1cPercent,
    spread: 0.12,
    low: 4.3,
    high: 13.5,
    reports: everywhere(report('4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood', '%', 1)),
  },
  {
    name: 'albumin',
    group: 'diabetes',
    usual: (person) => person.albuminCreatinineMgPerG,
    spread: 1,
    low: 5,
    high: 900,
    reports: everywhere(report('9318-7', 'Albumin/Creatinine [Mass Ratio] in Urine', 'mg/g', 0)),
  },
  {
    name: 'ast',
    group: 'liver',
    usual: (person) => 22 + Math.max(0, person.bodyMassIndex - 28) * 0.5,
    spread: 5,
    low: 10,
    high: 120,
    reports: everywhere(
      report('1920-8', 'Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma', 'U/L', 0),
    ),
  },
  {
    name: 'alt',
    group: 'liver',
    usual: (person) => 22 + Math.max(0, person.bodyMassIndex - 27) * 1.1,
    spread: 7,
    low: 7,
    high: 160,
    reports: everywhere(
      report('1742-6', 'Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma', 'U/L', 0),
    ),
  },
  {
    name: 'platelets',
    group: 'liver',
    usual: () => 245,
    spread: 45,
    low: 95,
    high: 460,
    reports: everywhere(report('777-3', 'Platelets [#/volume] in Blood by Automated count', '10*3/uL', 0)),
  },
];
