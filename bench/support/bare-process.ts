import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RiskAssessment } from '@medplum/fhirtypes';

/** The bare server in a process of its own. */
export async function startBareServer(
  asOf: Date,
  templates: ReadonlyMap<string, RiskAssessment>,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-bench-'));
  const file = path.join(folder, 'templates.json');
  writeFileSync(file, JSON.stringify({ asOf: asOf.toISOString(), templates: Object.fromEntries(templates) }));
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'bare-server.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /http:\S+/.exec(line.toString('utf8'))?.[0];
  if (url === undefined) throw new Error('the bare server did not say where it listens');
  return {
    url,
    stop: async () => {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
