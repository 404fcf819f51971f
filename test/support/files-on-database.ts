import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const test = path.resolve(import.meta.dirname, '..');
const choice = /process\.env\.TEST_DATABASE_URL/;

/**
 * They hold what models say against published figures, or ask what a command writes (`four-ways` compares what it reads):
 * the same whatever database keeps the resources. Or they are about what is told before a database is asked (by the Host of
 * a request, a body that is no JSON, a search that a site may not have), about what is done without one (graphs over `/v2`,
 * prefetch, inputs from a FHIR server), or run the commands of a document. Or about who is let in and where a server may be
 * led, for which a database keeps one table of used tokens (`services/replayed-token`); bytes that no database sees
 * (`services/hostile-requests` sends one all else); and what a result shows and holds, whoever keeps it.
 */
const sameOnEach = [
  'cli/extract-command',
  'docs/commands',
  'docs/deliveries',
  'docs/engines',
  'docs/evaluation',
  'docs/runs',
  'docs/training-matrix',
  'entrances/cds-hooks/read-prefetch',
  'http/hostile-bodies',
  'http/refuse-foreign-host',
  'http/server-app',
  'index',
  'model-catalog/site-queries',
  'scenarios/cds-hooks-callers',
  'scenarios/cds-hooks-cases',
  'scenarios/cds-hooks-library',
  'scenarios/cds-hooks-two-servers',
  'scenarios/demonstrations-over-http',
  'scenarios/equations-over-http',
  'scenarios/fhir-base-url',
  'scenarios/hostile-callers',
  'scenarios/hostile-requests',
  'scenarios/inference-protocol',
  'scenarios/kinds-over-http',
  'scenarios/model-output',
  'scenarios/predict-bad-input',
  'scenarios/predict-use-server-data',
  'scenarios/prevent-full-over-http',
  'scenarios/rate-limits',
  'scenarios/report-cards',
  'scenarios/score2-over-http',
  'scenarios/scores-over-http',
  'scenarios/seeded-faults',
  'scenarios/sensitive-features',
  'scenarios/site-file',
  'scenarios/synthea',
  'scenarios/texts-over-http',
  'scenarios/token-attacks',
  'scenarios/what-a-request-may-reach',
].map((name) => path.join(test, `${name}.test.ts`));

/**
 * The test files whose database TEST_DATABASE_URL names, themselves or through what they import, relative to the
 * repository. All others do the same whether or not it is set. Those that are the same on each are left out.
 */
export function filesOnDatabase(): string[] {
  const known = new Map<string, boolean>();
  const reaches = (file: string): boolean => {
    const answer = known.get(file);
    if (answer !== undefined) return answer;
    known.set(file, false); // for those who import each other
    const text = readFileSync(file, 'utf8');
    const imports = [...text.matchAll(/from '(\.[^']+\.ts)'/g)]
      .map(([, specifier = '']) => path.resolve(path.dirname(file), specifier))
      .filter((imported) => imported.startsWith(test));
    const found = choice.test(text) || imports.some(reaches);
    known.set(file, found);
    return found;
  };
  return readdirSync(test, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join(test, name))
    .filter((file) => reaches(file) && !sameOnEach.includes(file))
    .map((file) => path.relative(path.dirname(test), file));
}
