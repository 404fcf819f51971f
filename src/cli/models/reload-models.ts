import { parseArgs } from 'node:util';
import { readConfigFromProcess } from '../../platform/config.ts';
import type { ReloadReport } from '../../wire-reload.ts';
import { runningServer } from '../running-server.ts';
import { AdminRefusal, askAdmin } from './ask-admin.ts';

/** `fhirsight models reload`: lets a running server load what is new in MODELS_DIR. @returns 0, or 1 where a folder was refused */
export async function reloadModels(args: readonly string[]): Promise<number> {
  parseArgs({ args: [...args], options: {} });
  const config = readConfigFromProcess();
  const server = await runningServer(config);
  if (server === undefined) {
    process.stderr.write('No server runs on this DATA_DIR; models are loaded when one starts.\n');
    return 1;
  }
  try {
    const report = (await askAdmin(config, server, 'reload', {})) as ReloadReport;
    process.stdout.write(showReport(report));
    return report.refused.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AdminRefusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

function showReport({ loaded, kept, removed, refused, reloadMs }: ReloadReport): string {
  const lines = [
    ...loaded.map((version) => `loaded   ${version}: a candidate until it is promoted`),
    ...removed.map((version) => `removed  ${version}`),
    ...refused.map(({ folder, reason }) => `refused  ${folder}: ${reason}`),
    `${kept.length} versions are served as before; this took ${Math.round(reloadMs)} ms.`,
  ];
  return `${lines.join('\n')}\n`;
}
