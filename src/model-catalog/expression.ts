import type { Expression } from './feature-map-schema.ts';

/** Operators of derived features and how many operands each takes. */
const arity: Readonly<Record<string, { readonly min: number; readonly max: number }>> = {
  '+': { min: 2, max: 64 },
  '-': { min: 2, max: 2 },
  '*': { min: 2, max: 64 },
  '/': { min: 2, max: 2 },
  pow: { min: 2, max: 2 },
  min: { min: 2, max: 64 },
  max: { min: 2, max: 64 },
  ln: { min: 1, max: 1 },
  exp: { min: 1, max: 1 },
};

/** A derived feature's arithmetic, ready to run: numbers and codes of other features in, one number out. */
export interface CompiledExpression {
  /** Names of the features it reads. */
  readonly reads: readonly string[];
  /** @param value gives a feature's value: a number, or a code for `if-equal` */
  evaluate(value: (feature: string) => number | boolean | string): number;
}

type Node = (value: (feature: string) => number | boolean | string) => number;

/**
 * Compiles prefix arithmetic (`["*", 142, ["pow", "creatinine", -1.2]]`) into direct calls.
 * @throws SyntaxError for an unknown operator, a wrong number of operands, or a text operand where a number belongs
 */
export function compileExpression(expression: Expression): CompiledExpression {
  const reads = new Set<string>();

  const compile = (node: Expression): Node => {
    if (typeof node === 'number') return () => node;
    if (typeof node === 'string') {
      reads.add(node);
      return (value) => Number(value(node));
    }
    if (!Array.isArray(node)) throw new SyntaxError('an expression is a number, a feature name or a list');
    const [operator, ...operands] = node as readonly Expression[];
    if (operator === 'if-equal') return compileIfEqual(operands);
    const allowed = typeof operator === 'string' ? arity[operator] : undefined;
    if (allowed === undefined || typeof operator !== 'string') {
      throw new SyntaxError(
        `unknown operator ${JSON.stringify(operator)}; known: ${[...Object.keys(arity), 'if-equal'].join(' ')}`,
      );
    }
    if (operands.length < allowed.min || operands.length > allowed.max) {
      throw new SyntaxError(
        `operator ${operator} takes ${allowed.min} to ${allowed.max} operands, not ${operands.length}`,
      );
    }
    return apply(operator, operands.map(compile));
  };

  const compileIfEqual = (operands: readonly Expression[]): Node => {
    const [feature, code, whenEqual, otherwise] = operands;
    if (
      operands.length !== 4 ||
      typeof feature !== 'string' ||
      typeof code !== 'string' ||
      whenEqual === undefined ||
      otherwise === undefined
    ) {
      throw new SyntaxError('if-equal takes a feature name, a code, and two expressions');
    }
    reads.add(feature);
    const then = compile(whenEqual);
    const otherwiseThen = compile(otherwise);
    return (value) => (value(feature) === code ? then(value) : otherwiseThen(value));
  };

  const evaluate = compile(expression);
  return { reads: [...reads], evaluate };
}

function apply(operator: string, operands: readonly Node[]): Node {
  const [a = zero, b = zero] = operands;
  switch (operator) {
    case '+':
      return (value) => operands.reduce((sum, operand) => sum + operand(value), 0);
    case '*':
      return (value) => operands.reduce((product, operand) => product * operand(value), 1);
    case '-':
      return (value) => a(value) - b(value);
    case '/':
      return (value) => a(value) / b(value);
    case 'pow':
      return (value) => a(value) ** b(value);
    case 'min':
      return (value) => Math.min(...operands.map((operand) => operand(value)));
    case 'max':
      return (value) => Math.max(...operands.map((operand) => operand(value)));
    case 'ln':
      return (value) => Math.log(a(value));
    default:
      return (value) => Math.exp(a(value));
  }
}

function zero(): number {
  return 0;
}
