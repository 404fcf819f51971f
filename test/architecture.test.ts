import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const source = path.join(root, 'src');

/** Row by row the table "Who may import whom" of the architecture; `prediction` sees every stage above it. */
const stages = ['records', 'features', 'imaging', 'inference', 'explanation', 'results', 'write-back'];
const mayImport: Readonly<Record<string, readonly string[]>> = {
  platform: [],
  fhir: ['platform'],
  'model-catalog': ['fhir', 'platform'],
  records: ['fhir', 'model-catalog', 'platform'],
  features: ['imaging', 'records', 'fhir', 'model-catalog', 'platform'],
  imaging: ['records', 'fhir', 'model-catalog', 'platform'],
  inference: ['features', 'model-catalog', 'platform'],
  explanation: ['inference', 'features', 'model-catalog', 'platform'],
  results: ['explanation', 'inference', 'imaging', 'features', 'records', 'fhir', 'model-catalog', 'platform'],
  'write-back': ['results', 'fhir', 'platform'],
  prediction: [...stages, 'fhir', 'model-catalog', 'platform'],
  runs: ['prediction', 'model-catalog', 'platform'],
  monitoring: ['prediction', 'model-catalog', 'platform'],
  governance: ['prediction', 'model-catalog', 'platform'],
  http: ['fhir', 'platform'],
  entrances: ['prediction', 'runs', 'monitoring', 'governance', 'model-catalog', 'fhir', 'http', 'platform'],
};
/** These see everything: they are the process, its commands and the hands that build the parts. */
const everything = [
  'cli',
  'main.ts',
  'index.ts',
  'wire.ts',
  'wire-account.ts',
  'wire-archives.ts',
  'wire-cds-callers.ts',
  'wire-database.ts',
  'wire-engine.ts',
  'wire-earlier.ts',
  'wire-forget.ts',
  'wire-hook-reports.ts',
  'wire-imaging.ts',
  'wire-fhir-client.ts',
  'wire-access.ts',
  'wire-data-access.ts',
  'wire-models.ts',
  'wire-operation-jobs.ts',
  'wire-outbound.ts',
  'wire-predict-operation.ts',
  'wire-reload.ts',
  'wire-review-operation.ts',
  'wire-served-models.ts',
  'wire-versions.ts',
  'wire-record-server.ts',
  'wire-routes.ts',
  'wire-runs.ts',
  'wire-sealing.ts',
  'wire-sources.ts',
  'wire-studies.ts',
  'wire-subscriptions.ts',
];

/** Third parties stay at their border. */
const borders: readonly { readonly package: RegExp; readonly only: readonly string[] }[] = [
  { package: /^onnxruntime-node/, only: ['inference'] },
  { package: /^express/, only: ['http', 'entrances'] },
  { package: /^(pg|@electric-sql\/.*)$/, only: ['platform', 'runs'] },
  { package: /^(pg-boss|node-cron)/, only: ['runs'] },
  { package: /^prom-client/, only: ['monitoring'] },
];

interface Import {
  readonly file: string;
  readonly specifier: string;
}

/** The rule an import breaks, or undefined. `file` is relative to src/, with slashes. */
function brokenRule({ file, specifier }: Import): string | undefined {
  const from = folderOf(file);
  if (!specifier.startsWith('.')) {
    const border = borders.find((candidate) => candidate.package.test(specifier));
    if (border === undefined || border.only.includes(from)) return undefined;
    return `${file} imports ${specifier}, which stays in ${border.only.join(' and ')}`;
  }
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
  const to = folderOf(target);
  if (everything.includes(from)) return undefined;
  if (from === 'entrances' && to === 'entrances') {
    return entranceOf(file) === entranceOf(target)
      ? undefined
      : `${file} imports ${target}: one entrance never imports another`;
  }
  if (from === to) return undefined;
  const allowed = mayImport[from];
  if (allowed === undefined) return `${file} lies in ${from}, which the table does not know`;
  return allowed.includes(to)
    ? undefined
    : `${file} imports ${target}: ${from} may import only ${allowed.join(', ') || 'nothing of ours'}`;
}

function folderOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function entranceOf(file: string): string {
  return file.split('/')[1] ?? file;
}

/** Every static, type-only, re-exporting and dynamic import of a file. */
function importsOf(text: string, file: string): Import[] {
  const { module, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const specifiers = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.map(({ moduleRequest }) =>
      text.slice(moduleRequest.start, moduleRequest.end).replace(/^['"`]|['"`]$/g, ''),
    ),
  ];
  return specifiers.map((specifier) => ({ file, specifier }));
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => file.split(path.sep).join('/'));

describe('imports', () => {
  it('go downhill only, and third parties stay at their border', () => {
    const broken = files.flatMap((file) =>
      importsOf(readFileSync(path.join(source, file), 'utf8'), file).flatMap((found) => brokenRule(found) ?? []),
    );
    expect(broken).toEqual([]);
  });

  it.each([
    ['uphill', "import { predict } from '../prediction/predict.ts';", 'features/age.ts'],
    ['uphill by type only', "import type { Card } from '../entrances/cds-hooks/card.ts';", 'prediction/predict.ts'],
    ['uphill by re-export', "export { gatherRecord } from '../records/gather-record.ts';", 'platform/index.ts'],
    ['uphill by dynamic import', "const late = await import('../results/build-result.ts');", 'inference/score.ts'],
    [
      'a stage from an entrance',
      "import { score } from '../../inference/score.ts';",
      'entrances/fhir-operation/route.ts',
    ],
    ['another entrance', "import { card } from '../cds-hooks/card.ts';", 'entrances/fhir-operation/route.ts'],
    ['a driver outside the platform', "import pg from 'pg';", 'write-back/write-results.ts'],
    ['a folder that the table does not know', "import { x } from '../platform/clock.ts';", 'utils/x.ts'],
  ])('are refused when a file imports %s', (_, text, file) => {
    expect(importsOf(text, file).flatMap((found) => brokenRule(found) ?? [])).toHaveLength(1);
  });
});

describe('the environment and the clock', () => {
  it('are read in one place each', () => {
    const offenders = files.filter((file) => {
      const text = readFileSync(path.join(source, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      const environment = /process\.env\b/.test(text) && file !== 'platform/config.ts';
      const clock =
        /\bDate\.now\(|new Date\(\)|\bDateTime\.(now|local|utc)\(\)/.test(text) && file !== 'platform/clock.ts';
      return environment || clock || /Math\.random\(/.test(text);
    });
    expect(offenders).toEqual([]);
  });
});

describe('the way out', () => {
  /** Commands ask the server of this machine; an engine is named by its own file alone (decisions/0044). */
  const others = /^(platform\/outbound\/|cli\/|inference\/remote\/protocol-client\.ts$)/;
  const opens = (text: string): boolean => {
    const ownPool =
      /\bnew (Agent|Pool|Client|ProxyAgent)\(/.test(text) || /(?<!typeof )\bglobalThis\.fetch\b/.test(text);
    const givenOne = /\bfetch: typeof globalThis\.fetch\b|\{[^{}]*\bfetch\b[^{}]*\}: \w/.test(text);
    return ownPool || (/(?<![.\w])fetch\(/.test(text) && !givenOne);
  };

  it('is one: nobody else opens a connection over HTTP', () => {
    const offenders = files.filter((file) => {
      const text = readFileSync(path.join(source, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      return !others.test(file) && opens(text);
    });
    expect(offenders).toEqual([]);
  });

  it.each([
    'const dispatcher = new Agent({ connections: 4 });',
    'export const read = async (url: string) => await fetch(url);',
    'const own = globalThis.fetch;',
  ])('is not left by %s', (text) => {
    expect(opens(text)).toBe(true);
  });
});
