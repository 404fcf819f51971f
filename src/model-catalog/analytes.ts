/** Units of one analyte that UCUM cannot convert into each other, because it does not know the substance. */
export interface Analyte {
  /** UCUM */
  readonly unit: string;
  /** What a reader must know of the analyte before it is used. */
  readonly note?: string;
  readonly conversions: readonly AnalyteConversion[];
}

export interface AnalyteConversion {
  /** UCUM */
  readonly from: string;
  /** value in the analyte's `unit` = factor · value in `from` + offset */
  readonly factor: number;
  readonly offset?: number;
  /** Where the factor is published. */
  readonly source: string;
}

export const analyteNames = [
  'alanine-aminotransferase',
  'aspartate-aminotransferase',
  'bicarbonate',
  'bilirubin',
  'calcium',
  'chloride',
  'creatinine',
  'glucose',
  'hba1c',
  'hdl-cholesterol',
  'hemoglobin',
  'ldl-cholesterol',
  'magnesium',
  'potassium',
  'sodium',
  'total-cholesterol',
  'triglycerides',
  'urea-nitrogen',
  'urine-albumin-creatinine-ratio',
] as const;
export type AnalyteName = (typeof analyteNames)[number];

const atomicWeights = 'Standard atomic weights 2021, doi:10.1515/pac-2019-0603';

const cholesterol: Analyte = {
  unit: 'mg/dL',
  conversions: [
    { from: 'mmol/L', factor: 38.67, source: 'molar mass of cholesterol, 386.7 g/mol: 1 mmol/L = 38.67 mg/dL' },
  ],
};

const monovalentIon: Analyte = {
  unit: 'mmol/L',
  conversions: [
    { from: 'meq/L', factor: 1, source: 'UCUM, unit eq: equivalents are moles times valence; the valence is 1' },
  ],
};

const internationalUnit =
  'International Union of Biochemistry 1964: one international unit (U) of an enzyme catalyses 1 umol/min';
const enzyme: Analyte = {
  unit: 'U/L',
  conversions: [
    { from: '[IU]/L', factor: 1, source: internationalUnit },
    { from: '[iU]/L', factor: 1, source: internationalUnit },
  ],
};

/** A unit stands here only with a published factor. What is not here is refused. */
export const analytes: Readonly<Record<AnalyteName, Analyte>> = {
  'alanine-aminotransferase': enzyme,
  'aspartate-aminotransferase': enzyme,
  bicarbonate: monovalentIon,
  bilirubin: {
    unit: 'umol/L',
    conversions: [
      { from: 'mg/dL', factor: 17.1, source: 'molar mass of C33H36N4O6, 584.7 g/mol: 1 mg/dL = 17.1 umol/L' },
    ],
  },
  calcium: {
    unit: 'mg/dL',
    conversions: [
      { from: 'mmol/L', factor: 4.0078, source: `atomic weight of calcium, 40.078: ${atomicWeights}` },
      { from: 'meq/L', factor: 2.0039, source: `atomic weight of calcium, 40.078, valence 2: ${atomicWeights}` },
    ],
  },
  chloride: monovalentIon,
  creatinine: {
    unit: 'umol/L',
    conversions: [{ from: 'mg/dL', factor: 88.4, source: 'molar mass of C4H7N3O, 113.1 g/mol: 1 mg/dL = 88.4 umol/L' }],
  },
  glucose: {
    unit: 'mg/dL',
    conversions: [{ from: 'mmol/L', factor: 18.016, source: 'molar mass of C6H12O6, 180.16 g/mol' }],
  },
  hba1c: {
    unit: '%',
    note: '% is of NGSP, mmol/mol of IFCC',
    conversions: [
      {
        from: 'mmol/mol',
        factor: 0.09148,
        offset: 2.152,
        source:
          'master equation NGSP = 0.09148 IFCC + 2.152, www.ngsp.org/ifcc.asp; Hoelzel 2004, doi:10.1373/clinchem.2003.024802',
      },
    ],
  },
  'hdl-cholesterol': cholesterol,
  hemoglobin: {
    unit: 'g/dL',
    note: 'moles are of the monomer with one iron, Hb(Fe), not of the tetramer',
    conversions: [
      {
        from: 'mmol/L',
        factor: 1.6114,
        source: 'molar mass of the monomer, 16114 g/mol: ICSH 1996, doi:10.1136/jcp.49.4.271',
      },
    ],
  },
  'ldl-cholesterol': cholesterol,
  magnesium: {
    unit: 'mg/dL',
    conversions: [
      { from: 'mmol/L', factor: 2.4305, source: `atomic weight of magnesium, 24.305: ${atomicWeights}` },
      { from: 'meq/L', factor: 1.21525, source: `atomic weight of magnesium, 24.305, valence 2: ${atomicWeights}` },
    ],
  },
  potassium: monovalentIon,
  sodium: monovalentIon,
  'total-cholesterol': cholesterol,
  triglycerides: {
    unit: 'mg/dL',
    conversions: [
      {
        from: 'mmol/L',
        factor: 88.57,
        source: 'mean molar mass 885.7 g/mol: AHRQ Evidence Synthesis 47 (Haney 2007), appendix 2',
      },
    ],
  },
  'urea-nitrogen': {
    unit: 'mg/dL',
    note: 'mg/dL is of nitrogen (BUN), mmol/L of urea; urea in mg/dL is another quantity',
    conversions: [
      { from: 'mmol/L', factor: 2.801, source: 'two atoms of nitrogen in a molecule of urea, 28.01 g/mol' },
    ],
  },
  'urine-albumin-creatinine-ratio': {
    unit: 'mg/g',
    conversions: [
      { from: 'mg/mmol', factor: 8.84, source: 'molar mass of creatinine, 113.1 g/mol: 1 mmol = 1/8.84 g' },
      { from: 'mg/g{creat}', factor: 1, source: 'UCUM: the annotation names the creatinine of the ratio' },
      { from: 'mg/mmol{creat}', factor: 8.84, source: 'molar mass of creatinine, 113.1 g/mol' },
    ],
  },
};
