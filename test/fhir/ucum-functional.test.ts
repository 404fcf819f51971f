import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isUcumUnit, unitConversion } from '../../src/fhir/ucum.ts';
import { casesDir, casesPresent } from '../support/cases.ts';
import { readDocument, tableRows } from '../support/markdown-blocks.ts';

interface Validation {
  readonly id: string;
  readonly unit: string;
  readonly valid: 'true' | 'false';
}
interface Conversion {
  readonly id: string;
  readonly value: string;
  readonly srcUnit: string;
  readonly dstUnit: string;
  readonly outcome: string;
}
interface Arithmetic {
  readonly id: string;
  readonly v1: string;
  readonly u1: string;
  readonly v2: string;
  readonly u2: string;
  readonly vRes: string;
  readonly uRes: string;
}
interface FunctionalTests {
  readonly validation: readonly Validation[];
  readonly conversion: readonly Conversion[];
  readonly multiplication: readonly Arithmetic[];
  readonly division: readonly Arithmetic[];
}

const none: FunctionalTests = { validation: [], conversion: [], multiplication: [], division: [] };
const cases: FunctionalTests = casesPresent
  ? JSON.parse(readFileSync(path.join(casesDir, 'hostile/ucum/ucum_functional_tests.json'), 'utf8'))
  : none;

/** Units of which we say something else than the tests, with the reason. */
const otherVerdicts: Readonly<Record<string, string>> = {};

/** The tests count significant digits, and write the result with as many as the value had; we do not round. */
const roundedOutcomes: Readonly<Record<string, number>> = {
  '3-113': 25.2,
  '3-115': 1.575,
  '3-118': 0.16002,
  '3-119': 16.002,
};
const roundedQuotients: Readonly<Record<string, number>> = { '4-102': 2 / 1.5 };

/** Undefined where the conversion is refused. */
function converted(value: number, from: string, to: string): number | undefined {
  const conversion = unitConversion(from, to);
  return 'refused' in conversion ? undefined : value * conversion.factor + conversion.offset;
}

function isSame(found: number | undefined, expected: number): boolean {
  return found !== undefined && Math.abs(found - expected) <= 1e-12 * Math.abs(expected);
}

/** The id of each result that is not the expected one, with what was found. */
function differing(results: readonly (readonly [id: string, found: number | undefined, expected: string])[]) {
  const differences = results.filter(([, found, expected]) => !isSame(found, Number(expected)));
  return Object.fromEntries(differences.map(([id, found]) => [id, found]));
}

function approximately(expected: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(expected).map(([id, value]) => [id, expect.closeTo(value, 12)]));
}

/** UCUM's expression for a product or quotient of two units. */
function combined(operator: '.' | '/', { u1, u2 }: Arithmetic): string {
  return `(${u1})${operator}(${u2})`;
}

describe.runIf(casesPresent)('the UCUM functional tests', () => {
  it('are all there', () => {
    expect(cases.validation.length).toBeGreaterThanOrEqual(529);
    expect(cases.conversion.length).toBeGreaterThanOrEqual(30);
    expect(cases.multiplication.length + cases.division.length).toBeGreaterThanOrEqual(5);
  });

  it('agree on which codes are units, but for those with a reason', () => {
    const differences = cases.validation.filter(({ unit, valid }) => isUcumUnit(unit) !== (valid === 'true'));
    expect(differences.map(({ unit }) => unit)).toEqual(Object.keys(otherVerdicts));
  });

  it('agree on every conversion, but for those whose outcome they round', () => {
    const results = cases.conversion.map(
      ({ id, value, srcUnit, dstUnit, outcome }) => [id, converted(Number(value), srcUnit, dstUnit), outcome] as const,
    );
    expect(differing(results)).toEqual(approximately(roundedOutcomes));
  });

  it('agree on what the product and the quotient of two units is', () => {
    const products = cases.multiplication.map(
      (one) => [one.id, converted(Number(one.v1) * Number(one.v2), combined('.', one), one.uRes), one.vRes] as const,
    );
    expect(differing(products)).toEqual({});
    const quotients = cases.division.map(
      (one) =>
        [one.id, converted(Number(one.v1) / Number(one.v2), combined('/', one), one.uRes || '1'), one.vRes] as const,
    );
    expect(differing(quotients)).toEqual(approximately(roundedQuotients));
  });
});

describe('a unit', () => {
  beforeEach(() => {
    vi.spyOn(console, 'log').mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(['toString', 'constructor', '__proto__', 'mg/toString', 'mvalueOf', 'toString2', '(hasOwnProperty)'])(
    'named %s, as every object has one, is no unit and does not stop a prediction',
    (code) => {
      expect(isUcumUnit(code)).toBe(false);
      expect(unitConversion(code, 'm')).toEqual({ refused: 'unit-unknown' });
      expect(unitConversion('m', code)).toEqual({ refused: 'unit-unknown' });
    },
  );

  it.each(['{a}1', '{|}1', '{[iU]}3', '/{}1', '()', 'm.()', '()/mol', '([iU]){}{}'])(
    'of the wrong form, %s, is refused and never written to standard output',
    (code) => {
      expect(isUcumUnit(code)).toBe(false);
      expect(console.log).not.toHaveBeenCalled();
    },
  );

  it.each(['0', '00', '0.m', 'm/0', '1/00', 'm/(0.s)'])('with a factor of zero, %s, is refused', (code) => {
    expect(isUcumUnit(code)).toBe(false);
  });

  it.each(['10*0', 'm0', '10.m', '100.mL', '{()}', '{0}', 'm{toString}', 'g{creat}', '{a}.m{b}', 'm{}/s'])(
    'that only looks like one of those, %s, is a unit',
    (code) => {
      expect(isUcumUnit(code)).toBe(true);
    },
  );

  it.each(['mmHg', 'MG/DL', 'µmol/L', 'mg /dL', '', 'm'.repeat(101)])('spelt %s is no UCUM code', (code) => {
    expect(isUcumUnit(code)).toBe(false);
  });
});

describe('a conversion that UCUM lets pass', () => {
  it('is refused between a ratio of amounts and a plain fraction, both ways, and made between two such ratios', () => {
    expect(unitConversion('mmol/mol', '%')).toEqual({ refused: 'unconvertible' });
    expect(unitConversion('1', 'mol/mol')).toEqual({ refused: 'unconvertible' });
    expect(converted(48, 'mmol/mol', 'umol/mol')).toBeCloseTo(48_000, 9);
    expect(converted(6.5, '%', '1')).toBeCloseTo(0.065, 12);
  });

  it('is refused between other annotations, and made between equal ones', () => {
    expect(unitConversion('mg/g{creat}', 'mg/g')).toEqual({ refused: 'unconvertible' });
    expect(converted(30, 'mg/g{creat}', 'ug/mg{creat}')).toBeCloseTo(30, 12);
  });

  it('is refused between fields of the microscope of other size, and made for one size', () => {
    expect(unitConversion('/[HPF]', '/[LPF]')).toEqual({ refused: 'unconvertible' });
    expect(converted(3, '/[HPF]', '1/[HPF]')).toBe(3);
  });

  it('is made where an enzyme activity is written as moles per time', () => {
    expect(converted(1, 'ukat/L', 'U/L')).toBeCloseTo(60, 12);
    expect(converted(5, 'umol/min/mmol', 'U/mmol')).toBeCloseTo(5, 12);
  });
});

describe('the refusals that docs/model-author.md lists', () => {
  const rows = tableRows(readDocument('docs/model-author.md').split('### Units')[1]?.split('| analyte |')[0] ?? '');
  const examples = rows.flatMap(([, example = '']) =>
    [...example.matchAll(/`([^`]+)` to `([^`]+)`/g)].map(([, from = '', to = '']) => ({ from, to })),
  );

  it('are seven kinds, with an example each', () => {
    expect(rows).toHaveLength(7);
    for (const row of rows) expect(row[1]).toMatch(/` to `/);
  });

  it.each(examples)('refuse $from for $to, and the other way round, though both are units', ({ from, to }) => {
    expect([from, to].filter((unit) => !isUcumUnit(unit))).toEqual([]);
    expect(unitConversion(from, to)).toEqual({ refused: 'unconvertible' });
    expect(unitConversion(to, from)).toEqual({ refused: 'unconvertible' });
  });
});
