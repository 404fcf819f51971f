import { describe, expect, it } from 'vitest';
import { truthReader } from '../../../src/cli/evaluate/read-truth.ts';
import type { Outcome } from '../../../src/model-catalog/outcome-schema.ts';

const named = { id: 'severity', label: 'Severity', column: 0, coding: [{ system: 'http://loinc.org', code: '1-8' }] };
const classes = (...codes: [code: string, number: number][]): Outcome => ({
  ...named,
  kind: 'class',
  classes: codes.map(([code, number]) => ({ code, number, display: code })),
});

describe('the truth in a cell', () => {
  it('is a class where a class has that code, though data frames write it for "not known"', () => {
    const read = truthReader(classes(['None', 0], ['NA', 1], ['null', 2], ['mild', 3]));
    expect(['None', ' NA ', 'null', 'mild', '3', ''].map((text) => read(text, 'line 2'))).toEqual([
      0,
      1,
      2,
      3,
      3,
      undefined,
    ]);
  });

  it('is not known where no class has that code', () => {
    const read = truthReader(classes(['none', 0], ['mild', 1]));
    expect(['None', 'NA', 'NaN', 'null', ''].map((text) => read(text, 'line 2'))).toEqual(Array(5).fill(undefined));
    expect(() => read('severe', 'line 2')).toThrow(
      "line 2: the label 'severe' is not one of the classes none (0), mild (1)",
    );
  });

  it('is never taken for one class where it is the number of another: such an outcome is refused', () => {
    expect(() => truthReader(classes(['1', 0], ['0', 1]))).toThrow(
      expect.objectContaining({
        code: 'PARAMETER_INVALID',
        message: expect.stringContaining('1 is the code of the class with the number 0'),
      }),
    );
    expect(() => truthReader(classes(['1', 0], ['2', 1], ['3', 2]))).toThrow('the number of another class');
    expect(() => truthReader(classes(['a', 2], ['2.0', 1]))).toThrow('the number of another class');
  });

  it('is read where codes are their own numbers, or numbers of no class', () => {
    const same = truthReader(classes(['1', 1], ['2', 2]));
    expect(['1', '2', '2.0'].map((text) => same(text, ''))).toEqual([1, 2, 2]);
    const other = truthReader(classes(['10', 0], ['20', 1]));
    expect(['10', '20', '0', '1'].map((text) => other(text, ''))).toEqual([0, 1, 0, 1]);
  });

  it('of a measurement is not 0 where the cell is empty', () => {
    const measurement: Outcome = { ...named, kind: 'measurement', unit: 'mL/min', range: [0, 200], decimals: 0 };
    const read = truthReader(measurement);
    expect(['', ' ', 'NaN', '0', '61.5'].map((text) => read(text, ''))).toEqual([
      undefined,
      undefined,
      undefined,
      0,
      61.5,
    ]);
  });
});
