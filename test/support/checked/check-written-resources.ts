import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { checkResource } from './check-resource.ts';
import { profileOf } from './profile-of.ts';
import type { WrittenResource } from './written-resources.ts';

/** So long the checks of one run may take, in milliseconds; what was not checked then fails the run. */
const limitMs = 120_000;

/** A run of so many test files has servers among them. */
const manyFiles = 100;

/** How many faults are shown. */
const shown = 30;

/**
 * Set-up of a whole run: collects what its servers write, and holds every resource of it against base R4 and its profile when
 * all tests are done. Throws, which fails the run, where one of them is wrong, and where a run of many files kept none.
 */
export default function collectWrittenResources({ vitest }: TestProject): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-written-'));
  process.env.WRITTEN_RESOURCES = folder;
  return () => {
    const lines = readdirSync(folder).flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n'));
    rmSync(folder, { recursive: true, force: true });
    const written = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as WrittenResource);
    if (vitest.state.getFiles().length >= manyFiles && written.length === 0)
      throw new Error('the servers of this run wrote nothing that could be checked');
    const faults = faultsOf(written);
    if (faults.length > 0)
      throw new Error(
        `${faults.length} faults in what the servers of this run wrote:\n${faults.slice(0, shown).join('\n')}`,
      );
  };
}

/** What is wrong with the resources, each as one line. */
export function faultsOf(written: readonly WrittenResource[]): string[] {
  const startMs = performance.now();
  const faults = new Set<string>();
  for (const [done, { file, resource, isOwn }] of written.entries()) {
    if (performance.now() - startMs > limitMs)
      throw new Error(`only ${done} of ${written.length} written resources were checked`);
    if (isOwn && profileOf(resource) === undefined)
      faults.add(
        `${file}: ${resource.resourceType} is this server's and nothing in it says so: no profile was looked at`,
      );
    for (const { path: at, message } of checkResource(resource))
      faults.add(`${file}: ${resource.resourceType} ${at} ${message}`);
  }
  if (written.length > 0) {
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    console.log(`${written.length} written resources checked in ${seconds} s, ${faults.size} faults`);
  }
  return [...faults];
}
