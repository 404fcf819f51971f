import { parseArgs } from 'node:util';
import type { Forgetting } from '../monitoring/forget-subject.ts';
import { systemClock } from '../platform/clock.ts';
import { readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { AdminRefusal, askAdmin } from './models/ask-admin.ts';
import { runningServer } from './running-server.ts';
import { withHouse } from './with-house.ts';

/** `fhirsight forget Patient/x`: removes what may be removed of one patient, and says what stays. @returns 0, or 1 where it was refused */
export async function forgetCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { server: { type: 'string' }, yes: { type: 'boolean' } },
  });
  const [reference = '', ...others] = positionals;
  const [, patient] = /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(reference) ?? [];
  if (patient === undefined || others.length > 0)
    throw new PredictionError('PARAMETER_INVALID', 'forget needs Patient/ID [--server BASE] [--yes].');
  const confirmed = values.yes === true;
  const asked = { patient, confirmed, ...(values.server !== undefined && { server: values.server }) };
  const config = readConfigFromProcess();
  const server = await runningServer(config);
  try {
    const forgetting =
      server === undefined
        ? await withHouse(config, async (house) => {
            const { forgetOf } = await import('../wire-forget.ts');
            return forgetOf(house, config, systemClock)({ ...asked, way: 'command-line' });
          })
        : ((await askAdmin(config, server, 'forget', asked, 'subjects')) as Forgetting);
    process.stdout.write(forgettingText(forgetting, confirmed));
    return 0;
  } catch (error) {
    if (!(error instanceof AdminRefusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** What went, or would go, and what stays; one line for each. */
export function forgettingText({ removed, stays }: Forgetting, confirmed: boolean): string {
  const tables = Object.entries(removed);
  const went = confirmed ? 'Removed' : 'Would be removed (say --yes to do it)';
  return [
    tables.length === 0 ? 'There is nothing to remove.' : `${went}:`,
    ...tables.map(([table, rows]) => `  ${table}: ${rows}`),
    ...(stays.length === 0 ? [] : ['Stays:']),
    ...stays.map(({ where, rows, because }) => `  ${where}: ${rows}. ${because}`),
    'Not reached from here: what sinks, logs of other servers and backups hold.',
    '',
  ].join('\n');
}
