/**
 * `npm run bench`: every bench in turn, each a process of its own; at the end one table and one line of JSON with all
 * figures. Ends with 1 only where a bench failed, not where a figure is missed: that is for people to judge.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type Figure, report } from './support/report.ts';

const benches = [
  'against-bare.ts',
  'authentication.ts',
  'run-against-copy.ts',
  'predict-during-run.ts',
  'imaging.ts',
  'predict-by-store-size.ts',
  'extract-against-fhirpath.ts',
  'engine.ts',
  'explain.ts',
];

async function run(file: string): Promise<Figure[]> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, file)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
    process.stdout.write(chunk);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const json = output.trimEnd().split('\n').at(-1) ?? '';
  if (code !== 0) throw new Error(`${file} ended with ${code}`);
  return (JSON.parse(json) as { figures: Figure[] }).figures;
}

const figures: Figure[] = [];
for (const bench of benches) figures.push(...(await run(bench)));
report('all', {}, figures);
