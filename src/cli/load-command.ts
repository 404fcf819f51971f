import { parseArgs } from 'node:util';
import type { Bundle } from '@medplum/fhirtypes';
import { type Config, readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { ndjsonResources } from './load/ndjson-resources.ts';
import { transactionsOf } from './load/transactions-of.ts';
import { askServer, commandHeaders, type RunningServer, runningServer } from './running-server.ts';
import { withHouse } from './with-house.ts';

/** Stores one transaction; what it throws says why nothing of it is stored. */
type Store = (transaction: Bundle) => Promise<void>;

/**
 * `fhirsight load`: the resources of NDJSON files into the own store, each under its own id, in the place of what is there.
 * What was stored before an error stays, and is stored again without harm.
 */
export async function loadCommand(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
  if (positionals.length === 0)
    throw new PredictionError('PARAMETER_INVALID', 'load needs a file, for example: fhirsight load patients.ndjson');
  const config = readConfigFromProcess();
  const loaded = await withStore(config, (store) => loadFiles(positionals, store));
  process.stderr.write(
    `${loaded} resources of ${positionals.length === 1 ? 'a file' : `${positionals.length} files`} are stored.\n`,
  );
  return 0;
}

async function loadFiles(files: readonly string[], store: Store): Promise<number> {
  let loaded = 0;
  for (const file of files) {
    for await (const { transaction, lines, count } of transactionsOf(ndjsonResources(file))) {
      await store(transaction).catch((cause: unknown) => {
        if (!(cause instanceof PredictionError)) throw cause;
        const kept = loaded === 0 ? 'Nothing was stored.' : `The ${loaded} resources before them are stored.`;
        const message = `${file}, lines ${lines[0]} to ${lines[1]} were refused: ${cause.message} ${kept}`;
        throw new PredictionError('WRITE_REJECTED', message, { cause });
      });
      loaded += count;
    }
  }
  return loaded;
}

/** The store of the running server, which is asked over HTTP, or the own one, opened here. */
async function withStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  const server = await runningServer(config);
  if (server !== undefined) return await work((transaction) => storeOverHttp(server, config, transaction));
  const [{ createFhirRouter }, { processBundle }, { describeError }] = await Promise.all([
    import('../fhir/store/fhir-router.ts'),
    import('../fhir/store/process-bundle.ts'),
    import('../http/error-response.ts'),
  ]);
  return await withHouse(config, ({ repository }) =>
    work(async (transaction) => {
      const options = { describeError: (error: unknown) => describeError(error, ''), returns: 'minimal' as const };
      await processBundle(createFhirRouter(), repository, transaction, options);
    }),
  );
}

async function storeOverHttp(server: RunningServer, config: Config, transaction: Bundle): Promise<void> {
  const headers = { prefer: 'return=minimal', ...(await commandHeaders(config)) };
  const { status, text } = await askServer(server, '/fhir/R4', transaction, headers);
  if (status === 200) return;
  throw new PredictionError('WRITE_REJECTED', `${status}: ${reasonIn(text)}`);
}

/** The words of an OperationOutcome; the body as it came where it is none. */
function reasonIn(text: string): string {
  try {
    const { issue } = JSON.parse(text) as { issue?: { diagnostics?: string }[] };
    return issue?.[0]?.diagnostics ?? text.slice(0, 500);
  } catch {
    return text.slice(0, 500);
  }
}
