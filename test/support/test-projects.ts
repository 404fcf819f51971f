import path from 'node:path';
import type { TestProjectConfiguration } from 'vitest/config';

/**
 * Folders whose test files share what they import: schemas and the embedded PostgreSQL are compiled once for a worker, not
 * once for a file.
 */
const together = [
  'entrances',
  'explanation',
  'features',
  'fhir',
  'governance',
  'http',
  'imaging',
  'inference',
  'model-catalog',
  'monitoring',
  'prediction',
  'records',
  'results',
  'runs',
  'write-back',
];

/** Scenarios that start processes of their own, or ask what their own process holds: each has a worker to itself. */
const alone = [
  'async-kill-9',
  'conformance',
  'deliveries',
  'devices',
  'hostile-callers',
  'kill-9',
  'overload',
  'predict',
  'reloads-under-load',
  'runs-kill-9',
  'runs-large-cohort',
  'serve',
  'studies-kill-9',
  'version-life-cycle',
].map((name) => `test/scenarios/${name}.test.ts`);

/** The ways of running, each with its part of the files: those that match `include`, patterns or paths. */
export function testProjects(include: readonly string[], exclude: readonly string[]): TestProjectConfiguration[] {
  const inFolder = (folder: string): string[] =>
    include.flatMap((pattern) => {
      if (pattern.startsWith('test/**/')) return [pattern.replace('test/', `${folder}/`)];
      return path.posix.normalize(pattern).startsWith(`${folder}/`) ? [pattern] : [];
    });
  const shared = together.map((folder) => `test/${folder}`);
  const scenarios = 'test/scenarios';
  const elsewhere = [...shared, scenarios].map((folder) => `${folder}/**`);
  const scenariosAlone = inFolder(scenarios).flatMap((pattern) =>
    pattern.includes('*') ? alone : alone.filter((file) => file === path.posix.normalize(pattern)),
  );
  return [
    { extends: true, test: { name: 'together', isolate: false, include: shared.flatMap(inFolder) } },
    { extends: true, test: { name: 'apart', include: [...include], exclude: [...exclude, ...elsewhere] } },
    { extends: true, test: { name: 'scenarios', isolate: false, include: inFolder(scenarios), exclude: alone } },
    { extends: true, test: { name: 'scenarios alone', include: scenariosAlone } },
  ];
}
