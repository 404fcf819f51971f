/**
 * `npm run conformance`: starts this server, drives it as an EHR would, and prints one line for each requirement: whether
 * it is met, and by what that is known. With `--base URL` another server is driven; see `--help`. Ends with 1 where a
 * requirement is not met.
 */
import { allChecks } from './conformance/all-checks.ts';
import { NotRun } from './conformance/check.ts';
import { openSite } from './conformance/open-site.ts';
import { help, readOptions } from './conformance/read-options.ts';
import { requirementRows, type Tried } from './conformance/requirement-rows.ts';
import type { Site } from './conformance/site.ts';

async function tryAll(site: Site): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const { ids, says, run } of allChecks) {
    try {
      tried.push({ ids, says, state: 'pass', evidence: await run(site) });
    } catch (error) {
      const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').slice(0, 300);
      tried.push({ ids, says, state: error instanceof NotRun ? 'not run' : 'FAIL', evidence: `${says}: ${message}` });
    }
  }
  return tried;
}

const options = readOptions(process.argv.slice(2));
if (options.help) {
  console.log(help);
} else {
  const { site, close } = await openSite(options);
  const rows = requirementRows(await tryAll(site).finally(close));
  for (const { id, state, evidence } of rows) console.log(`${id.padEnd(7)} ${state.padEnd(8)} ${evidence}`);
  const count = (state: string): number => rows.filter((row) => row.state === state).length;
  const told = ['pass', 'FAIL', 'not run', 'by test', 'n/a'].map((state) => `${count(state)} ${state}`).join(', ');
  console.log(`\n${site.url}: ${rows.length} requirements: ${told}`);
  process.exitCode = count('FAIL') === 0 ? 0 : 1;
}
