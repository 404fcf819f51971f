import { readFileSync } from 'node:fs';
import path from 'node:path';
import { casesDir, readCsv } from './cases.ts';
import type { Person } from './score-people.ts';

/** What the cases expect of one person by one score. */
export interface ScoreCase {
  readonly id: string;
  readonly person: Person;
  /** By outcome id of the shipped model. */
  readonly expected: Readonly<Record<string, number>>;
  /** Code of the published band, where the cases name one. */
  readonly level?: string;
}

/** The cases of a score whose result is no probability, in the words of the shipped model. */
export interface ScoreCases {
  readonly model: string;
  readonly cases: readonly ScoreCase[];
  /** Largest difference; 0 where the points are exact. */
  readonly tolerance: number;
}

type Row = Readonly<Record<string, string>>;

const sexOf = (female: string | undefined): string => (female === '1' ? 'female' : 'male');
/** Whole numbers of the class, as the model gives them. */
const gfrCategories: readonly (readonly [from: number, number: number])[] = [
  [90, 1],
  [60, 2],
  [45, 3],
  [30, 4],
  [15, 5],
  [0, 6],
];
const risks: Readonly<Record<string, number>> = { low: 1, 'low-medium': 2, medium: 3, high: 4 };
const levels: Readonly<Record<string, string>> = {
  A: 'alert',
  C: 'confusion',
  V: 'voice',
  P: 'pain',
  U: 'unresponsive',
};

const readers: Readonly<Record<string, (row: Row) => Omit<ScoreCase, 'id'>>> = {
  'ckd-epi-2021': (row) => {
    const gfr = Number(row.expected_kidney_epi);
    return {
      person: { age: Number(row.age), sex: String(row.sex), creatinine: Number(row.creatinine_mg_dl) },
      expected: { egfr: gfr, 'gfr-category': gfrCategories.find(([from]) => gfr >= from)?.[1] ?? Number.NaN },
    };
  },
  fib4: (row) => ({
    person: {
      age: Number(row.age),
      aspartateAminotransferase: Number(row.ast_U_L),
      alanineAminotransferase: Number(row.alt_U_L),
      platelets: Number(row.platelets_10e9_L),
    },
    expected: { 'fib-4': Number(row.expected) },
  }),
  'cha2ds2-vasc': (row) => ({
    person: {
      age: Number(row.age),
      sex: sexOf(row.female),
      heartFailure: Number(row.chf),
      hypertension: Number(row.hypertension),
      diabetes: Number(row.diabetes),
      strokeOrThromboembolism: Number(row.stroke_tia_te),
      vascularDisease: Number(row.vascular_disease),
    },
    expected: { 'cha2ds2-vasc': Number(row.expected_total) },
  }),
  meld3: (row) => ({
    person: {
      sex: sexOf(row.female),
      bilirubin: Number(row.bilirubin_mg_dL),
      internationalNormalizedRatio: Number(row.inr),
      creatinine: Number(row.creatinine_mg_dL),
      sodium: Number(row.sodium_mmol_L),
      albumin: Number(row.albumin_g_dL),
      dialysisSessions: row.dialysis === '1' ? 2 : 0,
      continuousDialysis: 0,
    },
    expected: { 'meld-3': Number(row.meld3_score) },
  }),
  lace: (row) => ({
    person: {
      lengthOfStay: Number(row.length_of_stay_days),
      acuteAdmission: Number(row.acute_admission),
      comorbidity: Number(row.charlson),
      emergencyVisits: Number(row.ed_visits_6mo),
    },
    expected: { lace: Number(row.expected_total) },
    level: row.risk ?? '',
  }),
  hospital: (row) => ({
    person: {
      hemoglobin: row.hemoglobin_lt_12 === '1' ? 11.9 : 12,
      oncologyService: Number(row.oncology_service),
      sodium: row.sodium_lt_135 === '1' ? 134 : 135,
      procedureDuringStay: Number(row.procedure),
      urgentAdmission: Number(row.urgent_admission),
      admissionsBefore: Number(row.admissions_prev_year),
      lengthOfStay: row.los_ge_5 === '1' ? 5 : 4,
    },
    expected: { hospital: Number(row.expected_total) },
    level: row.risk ?? '',
  }),
  news2: (row) => {
    const scale = row.scale2 === '1' ? 2 : 1;
    return {
      person: {
        respiratoryRate: Number(row.rr),
        oxygenSaturation: Number(row.spo2),
        supplementalOxygen: Number(row.o2),
        temperature: Number(row.temp),
        systolicBloodPressure: Number(row.sbp),
        pulse: Number(row.hr),
        consciousness: levels[row.acvpu ?? ''] ?? '',
      },
      expected: {
        [`news2-scale-${scale}`]: Number(row.expected_total),
        [`clinical-risk-scale-${scale}`]: risks[row.expected_risk ?? ''] ?? Number.NaN,
      },
    };
  },
};

const folders: Readonly<Record<string, string>> = {
  'ckd-epi-2021': 'ckd_epi_2021',
  'cha2ds2-vasc': 'cha2ds2_vasc',
  meld3: 'meld',
};
const tolerances: Readonly<Record<string, number>> = { 'ckd-epi-2021': 0.006, fib4: 1e-6 };

/** Every graded row of `equations/*` for a model: one whose second implementation disagrees is none. */
export function scoreCases(model: string): ScoreCases {
  const read = readers[model];
  if (read === undefined) throw new Error(`no cases are known for ${model}`);
  const rows = readCsv(`equations/${folders[model] ?? model}/expected.csv`).filter(
    ({ agrees_second_impl: agrees }) => agrees === undefined || agrees === '1',
  );
  return {
    model,
    cases: rows.map((row) => ({ id: row.case_id ?? '', ...read(row) })),
    tolerance: tolerances[model] ?? 0,
  };
}

interface Entry {
  readonly value?: number;
  readonly ordinal?: number;
  readonly text?: string;
}

interface StoredTest {
  readonly case_id: string;
  readonly inputs: Readonly<Record<string, Entry>>;
  readonly expected: Readonly<Record<string, Entry>>;
}

/** The stored tests of an openEHR guideline (`equations/gdl2`), as they are. */
export function storedTests(name: string): StoredTest[] {
  return JSON.parse(readFileSync(path.join(casesDir, 'equations/gdl2', `${name}.json`), 'utf8')) as StoredTest[];
}
