import type { Columns, Margin, OneColumn, Traced } from './margin.ts';
import type { Step } from './steps.ts';
import type { ConstantNumbers, StepInputs } from './trace-margin.ts';

/** `x op constant` or `constant op x`, one number for each column or one for all. */
type Operation = 'Add' | 'Sub' | 'Mul' | 'Div';

const none = (operator: string): Traced[] => [
  { kind: 'beyond', because: `it goes through ${operator} with something else than one number for each column` },
];

const withConstant =
  (operation: Operation): Step =>
  ({ traced: [only], constant, node }) => {
    const [left, right] = [constant(0), constant(1)];
    const numbers = left ?? right;
    if (only === undefined || only.kind === 'beyond' || numbers === undefined) return none(node.operator);
    // Nothing of what is explained here divides by an input.
    if (left !== undefined && operation === 'Div') return none(node.operator);
    const width = only.kind === 'columns' ? only.columns.length : only.constants.length;
    const at = perColumn(numbers, width);
    if (at === undefined) return none(node.operator);
    if (only.kind === 'margin') return marginWith(only, operation, at, left !== undefined) ?? none(node.operator);
    return [columnsWith(only, operation, at, left !== undefined)];
  };

/** Scaler: `(x - offset) * scale`. */
const scaler: Step = ({ node, traced: [only] }: StepInputs) => {
  const [offsets, scales] = ['offset', 'scale'].map((name) => node.attributes.get(name)?.floats ?? []);
  if (only?.kind !== 'columns' || offsets === undefined || scales === undefined) return none('Scaler');
  const width = only.columns.length;
  const [offset, scale] = [offsets, scales].map((numbers) => perColumn({ numbers, dims: [numbers.length] }, width));
  if (offset === undefined || scale === undefined) return none('Scaler');
  // It gives float32 whatever it takes.
  const rounded: Columns = { ...only, type: 'float32' };
  return [columnsWith(columnsWith(rounded, 'Sub', offset, false), 'Mul', scale, false)];
};

export const constantSteps: readonly (readonly [string, Step])[] = [
  ...(['Add', 'Sub', 'Mul', 'Div'] as const).map((operation) => [operation, withConstant(operation)] as const),
  ['Scaler', scaler],
];

function columnsWith(
  { type, columns }: Columns,
  operation: Operation,
  at: (column: number) => number,
  reversed: boolean,
): Columns {
  const round = type === 'float32' ? Math.fround : (x: number) => x;
  return {
    kind: 'columns',
    type,
    columns: columns.map((column, index): OneColumn => {
      const number = at(index);
      const work = (x: number): number => worked(operation, x, number, reversed);
      const offset = work(column.offset);
      return {
        from: column.from,
        offset,
        // The operations are linear: what 1 adds to an input adds to what comes out.
        scale: slope(operation, number, reversed) * column.scale,
        exact: (x) => round(work(column.exact(x))),
      };
    }),
  };
}

function worked(operation: Operation, x: number, number: number, reversed: boolean): number {
  switch (operation) {
    case 'Add':
      return x + number;
    case 'Sub':
      return reversed ? number - x : x - number;
    case 'Mul':
      return x * number;
    case 'Div':
      return x / number;
  }
}

function slope(operation: Operation, number: number, reversed: boolean): number {
  if (operation === 'Mul') return number;
  if (operation === 'Div') return 1 / number;
  return operation === 'Sub' && reversed ? -1 : 1;
}

/** A margin before any link; behind one only what changes nothing. */
function marginWith(
  margin: Margin,
  operation: Operation,
  at: (column: number) => number,
  reversed: boolean,
): Margin[] | undefined {
  if (margin.links.length > 0) {
    const idle = operation === 'Mul' || operation === 'Div' ? 1 : 0;
    return !reversed || operation !== 'Sub'
      ? margin.constants.every((_, column) => at(column) === idle)
        ? [margin]
        : undefined
      : undefined;
  }
  return [
    {
      ...margin,
      weights: margin.weights.map((row, column) =>
        row.map((weight) => weight * slope(operation, at(column), reversed)),
      ),
      constants: margin.constants.map((constant, column) => worked(operation, constant, at(column), reversed)),
    },
  ];
}

/** A constant as one number for each column: of any shape that has one element, or as many in its last axis alone. */
function perColumn({ numbers, dims }: ConstantNumbers, width: number): ((column: number) => number) | undefined {
  if (numbers.length === 1) return () => numbers[0] ?? Number.NaN;
  if (numbers.length !== width || dims.at(-1) !== width) return undefined;
  return (column) => numbers[column] ?? Number.NaN;
}
