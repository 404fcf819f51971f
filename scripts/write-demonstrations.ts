/**
 * Writes the measured metrics of the demonstration models, as their cards have them, into docs/demonstrations.md:
 *
 *     node scripts/write-demonstrations.ts
 *     node scripts/write-demonstrations.ts --check    # exits 1 where the page says something else
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ModelCard } from '../src/model-catalog/model-card-schema.ts';

const root = path.resolve(import.meta.dirname, '..');
const page = path.join(root, 'docs/demonstrations.md');

function cardOf(id: string): ModelCard {
  return JSON.parse(readFileSync(path.join(root, 'models', id, '1.0.0/model-card.json'), 'utf8')) as ModelCard;
}

/** `0.991 (0.976 to 0.999)`; errors of a number with fewer digits. */
function cell(card: ModelCard, measure: string, setting: string): string {
  const found = card.performance.find((one) => one.measure === measure && one.setting === setting);
  if (found?.interval === undefined || typeof found.value !== 'number') return '–';
  const digits = Math.abs(found.value) >= 10 ? 1 : 3;
  const { low, high } = found.interval;
  return `${found.value.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

function table(ids: readonly string[], measures: readonly string[], setting: string): string {
  const head = ['model', ...measures];
  const rows = ids.map((id) => [`\`${id}\``, ...measures.map((measure) => cell(cardOf(id), measure, setting))]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const demonstrations = readdirSync(path.join(root, 'models'))
  .filter((id) => id.startsWith('demo-'))
  .sort();
const cancer = demonstrations.filter((id) => id.startsWith('demo-breast-cancer-'));
const having = (measure: string) =>
  demonstrations.filter((id) => !cancer.includes(id) && cardOf(id).performance.some((one) => one.measure === measure));
const probability = ['auroc', 'brier', 'accuracy', 'recall', 'f1'];
const tables: Readonly<Record<string, string>> = {
  'breast-cancer-test': table(cancer, probability, 'internal-test'),
  'breast-cancer-cross-validation': table(cancer, probability, 'cross-validation'),
  'probability-test': table(having('brier'), probability, 'internal-test'),
  'number-test': table(having('mae'), ['mae', 'rmse', 'r2'], 'internal-test'),
  'anomaly-test': table(
    having('auroc').filter((id) => !having('brier').includes(id)),
    ['auroc', 'average-precision'],
    'internal-test',
  ),
};

const before = readFileSync(page, 'utf8');
const after = before.replace(
  /(<!-- table: ([a-z-]+) -->\n)[\s\S]*?(<!-- end -->)/g,
  (_, start: string, name: string, end: string) => {
    const made = tables[name];
    if (made === undefined)
      throw new RangeError(`docs/demonstrations.md asks for the table ${name}, which nobody makes`);
    return `${start}${made}\n${end}`;
  },
);
if (!process.argv.includes('--check')) writeFileSync(page, after);
else if (after !== before) {
  process.stderr.write(
    'docs/demonstrations.md says other numbers than the cards: run node scripts/write-demonstrations.ts\n',
  );
  process.exitCode = 1;
}
