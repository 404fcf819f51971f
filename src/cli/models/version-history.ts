import { parseArgs } from 'node:util';
import { readConfigFromProcess } from '../../platform/config.ts';
import { PredictionError } from '../../platform/errors.ts';
import { runningServer } from '../running-server.ts';
import { withHouse } from '../with-house.ts';
import { AdminRefusal, askAdmin } from './ask-admin.ts';
import { showRecord } from './show-record.ts';

type Shown = Parameters<typeof showRecord>[0];

/** `fhirsight models history ID`: every record of a model, the oldest first. @returns 0, or 1 for a model that never was */
export async function versionHistory(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const [model, ...rest] = positionals;
  if (model === undefined || rest.length > 0)
    throw new PredictionError('PARAMETER_INVALID', 'models history needs the id of one model: ID [--json].');
  const config = readConfigFromProcess();
  const server = await runningServer(config);
  try {
    const records =
      server === undefined
        ? await withHouse(config, ({ versions }) => versions.desk.history(model))
        : ((await askAdmin(config, server, `${encodeURIComponent(model)}/records`)) as { records: Shown[] }).records;
    process.stdout.write(values.json ? `${JSON.stringify(records, undefined, 2)}\n` : records.map(showRecord).join(''));
    return 0;
  } catch (error) {
    if (!(error instanceof AdminRefusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}
