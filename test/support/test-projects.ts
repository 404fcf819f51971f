import path from 'node:path';
import type { TestProjectConfiguration } from 'vitest/config';

/**
 * Folders whose test files share what they import: schemas are compiled once for a worker, not once for a file. What
 * starts processes, or opens and closes the house, has a worker of its own for each file.
 */
const together = [
  'entrances',
  'explanation',
  'features',
  'fhir',
  'http',
  'inference',
  'model-catalog',
  'monitoring',
  'prediction',
  'records',
  'results',
].map((folder) => `test/${folder}`);

const scenarios = 'test/scenarios';

/** The ways of running, each with its part of the files: those that match `include`, patterns or paths. */
export function testProjects(include: readonly string[], exclude: readonly string[]): TestProjectConfiguration[] {
  const inFolder = (folder: string): string[] =>
    include.flatMap((pattern) => {
      if (pattern.startsWith('test/**/')) return [pattern.replace('test/', `${folder}/`)];
      return path.posix.normalize(pattern).startsWith(`${folder}/`) ? [pattern] : [];
    });
  const elsewhere = [...together, scenarios].map((folder) => `${folder}/**`);
  return [
    { extends: true, test: { name: 'together', isolate: false, include: together.flatMap(inFolder) } },
    { extends: true, test: { name: 'apart', include: [...include], exclude: [...exclude, ...elsewhere] } },
    { extends: true, test: { name: 'scenarios', include: inFolder(scenarios) } },
  ];
}
