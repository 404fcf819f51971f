import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

const root = path.resolve(import.meta.dirname, '../..');

/** Files of our code whose tables and sentences say what a number is, or are what is shown of it. */
export const tableFiles = [
  'src/model-catalog/analytes.ts',
  'src/model-catalog/analyte-conversion.ts',
  'src/fhir/ucum.ts',
  'src/features/default-exclusions.ts',
  'src/features/suspect-unit.ts',
  'src/features/suspect-text.ts',
  'src/features/medication-standing.ts',
  'src/features/result-standing.ts',
  'src/features/todays-status.ts',
  'src/results/narrative.ts',
  'src/results/remarks.ts',
  'src/results/risk-text.ts',
  'src/results/score-text.ts',
  'src/results/unit-text.ts',
  'src/results/percent.ts',
  'src/results/contribution-amount.ts',
  'src/entrances/cds-hooks/card.ts',
  'src/entrances/cds-hooks/outcome-cards.ts',
  'src/entrances/cds-hooks/risk-detail.ts',
  'src/entrances/cds-hooks/abstention-detail.ts',
  'src/entrances/cds-hooks/override-reasons.ts',
];

/** SHA-256 (hex) over every number and text of these files and the version of the UCUM tables; comments and names do not count. */
export function compiledTables(read: (file: string) => string = readSource): string {
  const digest = createHash('sha256');
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  digest.update(`ucum ${dependencies['@lhncbc/ucum-lhc']}\n`);
  for (const file of tableFiles) digest.update(`${JSON.stringify([file, literalsOf(read(file), file)])}\n`);
  return digest.digest('hex');
}

function readSource(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** In the order of the file; names of imported files are none of what is said. */
function literalsOf(text: string, file: string): readonly (string | number)[] {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const literals: (string | number)[] = [];
  const imports = new Set(program.body.flatMap((node) => ('source' in node && node.source ? [node.source.start] : [])));
  new Visitor({
    Literal({ value, raw, start }) {
      if (!imports.has(start))
        literals.push(typeof value === 'number' || typeof value === 'string' ? value : (raw ?? ''));
    },
    TemplateElement({ value }) {
      literals.push(value.raw);
    },
  }).visit(program);
  return literals;
}
