import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseRunRequest } from '../entrances/cohort/parse-run-request.ts';
import { runBody } from '../entrances/cohort/run-body.ts';
import { type Config, readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { createRunProgress, type ShownRun } from './run-progress.ts';
import { askServer, commandHeaders, type RunningServer, runningServer } from './running-server.ts';
import { withHouse } from './with-house.ts';

const lookEveryMs = 250;

/** `fhirsight run`: a cohort run from its beginning to its end. @returns 0 where it finished, else 1 */
export async function runCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      version: { type: 'string' },
      all: { type: 'boolean', default: false },
      group: { type: 'string' },
      search: { type: 'string' },
      since: { type: 'string' },
      'as-of': { type: 'string' },
      'no-write-back': { type: 'boolean', default: false },
    },
  });
  const cohorts = [
    ...(values.all ? [{ all: true }] : []),
    ...(values.group === undefined ? [] : [{ group: values.group }]),
    ...(values.search === undefined ? [] : [{ search: values.search }]),
  ];
  if (values.model === undefined || cohorts.length !== 1) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      'run needs --model and one of --all, --group and --search, for example: fhirsight run --model prevent-base --all',
    );
  }
  const body = {
    model: values.model,
    cohort: { ...cohorts[0], ...(values.since === undefined ? {} : { since: values.since }) },
    ...(values.version === undefined ? {} : { version: values.version }),
    ...(values['as-of'] === undefined ? {} : { asOf: values['as-of'] }),
    ...(values['no-write-back'] ? { writeBack: false } : {}),
  };
  const config = readConfigFromProcess();
  const server = await runningServer(config);
  return server === undefined
    ? await runHere(body, config)
    : await runThere(body, server, await commandHeaders(config));
}

async function runHere(body: unknown, config: Config): Promise<number> {
  const request = parseRunRequest(body, config.siteTimeZone);
  return await withHouse(config, async ({ runs }) => {
    const { run } = await runs.create(request, { requester: 'fhirsight run' });
    await runs.start({ schedules: false });
    return await watch(async () => JSON.parse(JSON.stringify(runBody(await runs.read(run.id)))) as ShownRun);
  });
}

async function runThere(body: unknown, server: RunningServer, headers: Headers): Promise<number> {
  const { status, text } = await askForRun(body, server, headers);
  if (status !== 202 && status !== 200) {
    process.stdout.write(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    return 1;
  }
  const { id } = JSON.parse(text) as ShownRun;
  return await watch(async () => {
    const response = await server.fetch(`${server.url}/runs/${id}`, { headers });
    if (response.ok) return (await response.json()) as ShownRun;
    throw new PredictionError(
      'DATABASE_UNAVAILABLE',
      `The server answered ${response.status} about the run ${id}. The run goes on there: GET /runs/${id}.`,
    );
  });
}

type Headers = Readonly<Record<string, string>>;

/** Asks again where the answer was lost: with the same key, a run that was made is given again, not made twice. */
async function askForRun(
  body: unknown,
  server: RunningServer,
  headers: Headers,
): Promise<{ status: number; text: string }> {
  const asking = { ...headers, 'idempotency-key': `fhirsight-run-${randomUUID()}` };
  try {
    return await askServer(server, '/runs', body, asking);
  } catch {
    return await askServer(server, '/runs', body, asking);
  }
}

/** Shows how the run goes on until it ends. */
async function watch(read: () => Promise<ShownRun>): Promise<number> {
  const progress = createRunProgress(process.stderr);
  while (true) {
    const run = await read();
    progress.show(run);
    if (['finished', 'failed', 'cancelled'].includes(run.state)) {
      progress.end();
      process.stdout.write(`${JSON.stringify(run, null, 2)}\n`);
      return run.state === 'finished' ? 0 : 1;
    }
    await wait(lookEveryMs);
  }
}
