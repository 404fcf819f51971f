/** A unit, and how many of the first one of its family one of it is; for a scale with another zero also what is added. */
export interface FamilyUnit {
  readonly code: string;
  readonly size: number;
  readonly offset?: number;
}

const unit = (code: string, size: number, offset?: number): FamilyUnit =>
  offset === undefined ? { code, size } : { code, size, offset };
const poundKg = 0.45359237;
const inchM = 0.0254;

/** Units that mean the same in other sizes: by the definitions of UCUM, not by our own arithmetic. */
export const unitFamilies: readonly (readonly FamilyUnit[])[] = [
  // Mass by volume.
  [
    unit('mg/dL', 1),
    unit('g/L', 100),
    unit('mg/L', 0.1),
    unit('ug/mL', 0.1),
    unit('ng/mL', 1e-4),
    unit('g/dL', 1000),
    unit('kg/m3', 100),
  ],
  // Amount of substance by volume; equivalents are another kind.
  [unit('mmol/L', 1), unit('umol/L', 1e-3), unit('mol/L', 1000), unit('nmol/mL', 1e-3), unit('mol/m3', 1)],
  [unit('meq/L', 1), unit('eq/L', 1000)],
  // Pressure.
  [
    unit('mm[Hg]', 1),
    unit('kPa', 1 / 0.133322),
    unit('Pa', 1 / 133.322),
    unit('bar', 100 / 0.133322),
    unit('cm[H2O]', 98.0665 / 133.322),
  ],
  // Mass by area.
  [unit('kg/m2', 1), unit('g/cm2', 10), unit('[lb_av]/[in_i]2', poundKg / inchM ** 2)],
  // Mass by mass, by amount, and both as laboratories annotate them.
  [unit('mg/g', 1), unit('g/kg', 1), unit('ug/mg', 1), unit('ug/g', 1e-3)],
  [unit('mg/mmol', 1), unit('g/mol', 1), unit('ug/umol', 1), unit('mg/mol', 1e-3)],
  [unit('mg/g{creat}', 1), unit('ug/mg{creat}', 1)],
  [unit('mg/mmol{creat}', 1), unit('g/mol{creat}', 1)],
  [unit('mmol/mol', 1), unit('umol/mmol', 1)],
  // Filtration, flow and rate.
  [unit('mL/min/{1.73_m2}', 1), unit('mL/s/{1.73_m2}', 60), unit('L/h/{1.73_m2}', 1000 / 60)],
  [unit('L/min', 1), unit('mL/min', 1e-3), unit('L/h', 1 / 60), unit('mL/s', 0.06)],
  [unit('/min', 1), unit('/h', 1 / 60), unit('/s', 60)],
  // Temperature.
  [unit('Cel', 1), unit('K', 1, -273.15), unit('[degF]', 5 / 9, -160 / 9)],
  // Enzymes, cells, mass and length.
  [unit('U/L', 1), unit('mU/mL', 1), unit('kU/L', 1000)],
  [unit('10*9/L', 1), unit('10*3/uL', 1), unit('10*6/mL', 1), unit('10*12/L', 1000)],
  [unit('kg', 1), unit('g', 1e-3), unit('[lb_av]', poundKg)],
  [unit('cm', 1), unit('m', 100), unit('mm', 0.1), unit('[in_i]', 100 * inchM)],
];
