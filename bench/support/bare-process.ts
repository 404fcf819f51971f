import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { RiskAssessment } from '@medplum/fhirtypes';

/** The bare server in a process of its own. */
export async function startBareServer(
  asOf: Date,
  performer: RiskAssessment['performer'],
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const file = path.join(import.meta.dirname, 'bare-server.ts');
  const child = spawn(process.execPath, [file, asOf.toISOString(), JSON.stringify(performer)], {
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
    },
  };
}
