import type { Catalog } from '../../model-catalog/catalog.ts';
import { readConfigFromProcess } from '../../platform/config.ts';
import { PredictionError } from '../../platform/errors.ts';
import { commandHeaders, runningServer } from '../running-server.ts';
import { withHouse } from '../with-house.ts';

/**
 * What a running server says at an address below its root; where none runs, what the opened house would say there.
 * Throws MODEL_UNKNOWN where the server has no such thing, DATABASE_UNAVAILABLE where it does not answer.
 */
export async function askModels(address: string, here: (catalog: Catalog) => unknown): Promise<unknown> {
  const config = readConfigFromProcess();
  const server = await runningServer(config);
  if (server === undefined) return await withHouse(config, async ({ catalog }) => here(catalog));
  const { url } = server;
  const response = await server.fetch(`${url}${address}`, {
    headers: { accept: 'application/json', ...(await commandHeaders(config)) },
  });
  const body = (await response.json()) as { issue?: { diagnostics?: string; details?: { text?: string } }[] };
  if (response.ok) return body;
  const said = body.issue?.map(({ diagnostics, details }) => diagnostics ?? details?.text ?? '').join(' ') ?? '';
  if (response.status === 404) throw new PredictionError('MODEL_UNKNOWN', said);
  const message = `The server at ${url} was asked for its models, and it answered ${response.status}: ${said}. Try again when it is ready.`;
  throw new PredictionError('DATABASE_UNAVAILABLE', message);
}
