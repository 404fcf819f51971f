import { type ArrayExpression, type Expression, parseSync, type SpreadElement, Visitor } from 'oxc-parser';

/** What begins a test; one that is left out, still to be written, or meant to fail has no name here: it shows nothing. */
const begins: ReadonlySet<string> = new Set(['it', 'test']);
const showsNothing: ReadonlySet<string> = new Set(['skip', 'todo', 'fails']);

interface Titled {
  readonly title: string;
  /** Of `each`. */
  readonly rows: Expression | SpreadElement | undefined;
}

/**
 * The names of the tests of a file: each title as it is written, and for a table one name more for each row that is written
 * out, with the first text of the row in the place of the first `%s` or `%j`. Rows may be a constant of the file.
 * @throws Error where the source does not parse
 */
export function testNames(source: string, file: string): string[] {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const titled: Titled[] = [];
  const arrays: ArrayExpression[] = [];
  const constants = new Map<string, Expression>();
  new Visitor({
    VariableDeclarator({ id, init }) {
      if (id.type === 'Identifier' && init !== null) constants.set(id.name, init);
    },
    ArrayExpression: (array) => void arrays.push(array),
    CallExpression({ callee, arguments: [first] }) {
      const words = wordsOf(callee);
      if (!begins.has(words[0] ?? '') || words.some((word) => showsNothing.has(word))) return;
      const title = textOf(first);
      if (title !== undefined)
        titled.push({ title, rows: callee.type === 'CallExpression' ? callee.arguments[0] : undefined });
    },
  }).visit(program);

  /** The first text of each row. A row that is computed is read where it is written out within what computes it. */
  const textsOf = (rows: Titled['rows']): string[] => {
    const table = rows?.type === 'Identifier' ? constants.get(rows.name) : rows;
    if (table?.type !== 'ArrayExpression') return [];
    return table.elements.flatMap((row) => {
      if (row?.type === 'ArrayExpression') return textOf(row.elements[0]) ?? [];
      if (row?.type !== 'SpreadElement') return textOf(row) ?? [];
      const inside = arrays.filter(({ start, end }) => row.start <= start && end <= row.end);
      return inside.flatMap(({ elements }) => textOf(elements[0]) ?? []);
    });
  };
  return titled.flatMap(({ title, rows }) => [
    title,
    ...textsOf(rows).map((text) => title.replace(/%[sj]/, () => text)),
  ]);
}

/** `it` and `each` of `it.each(rows)(…)`; nothing of what is no chain of names. */
function wordsOf(callee: Expression): string[] {
  if (callee.type === 'Identifier') return [callee.name];
  if (callee.type === 'CallExpression') return wordsOf(callee.callee);
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return [];
  return [...wordsOf(callee.object), callee.property.name];
}

/** A text that is written out; what a template fills in stands as an ellipsis. */
function textOf(node: ArrayExpression['elements'][number] | undefined): string | undefined {
  if (node?.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined;
  if (node?.type !== 'TemplateLiteral') return undefined;
  return node.quasis.map(({ value }) => value.cooked ?? '').join('…');
}
