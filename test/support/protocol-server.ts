import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  InferenceModels,
  InferOptions,
  ServedModel,
} from '../../src/entrances/inference-protocol/inference-models.ts';
import { protocolError } from '../../src/entrances/inference-protocol/protocol-error.ts';
import { protocolRoutes } from '../../src/entrances/inference-protocol/protocol-routes.ts';
import { createApp } from '../../src/http/server-app.ts';
import { elementTypes, type Tensors } from '../../src/model-catalog/tensor.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import type { LogEvent } from '../../src/platform/events.ts';
import type { Logger } from '../../src/platform/logger.ts';

export const protocolToken = 'a-token-of-the-test';
export const maxProtocolBody = 1_000_000;

export interface ProtocolServer {
  readonly url: string;
  readonly events: LogEvent[];
  close(): Promise<void>;
}

/** The entrance over real HTTP, with the models that are given. */
export async function startProtocolServer(models: InferenceModels, timeoutMs = 30_000): Promise<ProtocolServer> {
  const events: LogEvent[] = [];
  const logger: Logger = { event: (event) => void events.push(event), with: () => logger };
  const options = { models, token: protocolToken, version: '9.9.9', maxBodyBytes: maxProtocolBody, timeoutMs };
  const app = createApp({
    routes: [{ path: '/v2', handler: protocolRoutes(options), ownFormat: true }],
    errors: [{ path: '/v2', handler: protocolError }],
    newRequestId: randomUUID,
    logger,
    notReady: async () => [],
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What the next inference of an echo does instead. */
export interface EchoFault {
  next?: (feeds: Tensors, options: InferOptions) => Promise<Tensors>;
}

/**
 * Models `echo-<type>` that give rows of three elements as they came, each in two versions, of which the second takes NaN; and
 * `pair`, with two inputs and two outputs.
 */
export function echoModels(fault: EchoFault = {}): InferenceModels & { ready: boolean } {
  const echoes = elementTypes.flatMap((type) =>
    ['1.0.0', '2.0.0'].map(
      (version): ServedModel => ({
        name: `echo-${type}`,
        version,
        inputs: [{ name: 'x', type, shape: [null, 3] }],
        outputs: [{ name: 'y', type, shape: [null, 3] }],
        acceptsNaN: new Set(version === '2.0.0' ? ['x'] : []),
        infer: async (feeds, wanted, options) => {
          const { next } = fault;
          delete fault.next;
          if (next !== undefined) return next(feeds, options);
          const x = feeds.get('x');
          return new Map(x === undefined ? [] : wanted.map((name) => [name, x]));
        },
      }),
    ),
  );
  const pair: ServedModel = {
    name: 'pair',
    version: '1.0.0',
    inputs: [
      { name: 'a', type: 'int64', shape: [1] },
      { name: 'b', type: 'string', shape: [null] },
    ],
    outputs: [
      { name: 'c', type: 'string', shape: [null] },
      { name: 'd', type: 'int64', shape: [1] },
    ],
    acceptsNaN: new Set(),
    infer: async (feeds, wanted) =>
      new Map(
        wanted.map((name) => {
          const tensor = feeds.get(name === 'c' ? 'b' : 'a');
          if (tensor === undefined) throw new Error('an input is not there');
          return [name, tensor];
        }),
      ),
  };
  const all = [...echoes, pair];
  return {
    ready: true,
    held: (work) => work(),
    allReady() {
      return this.ready;
    },
    versionsOf: (name) => all.filter((model) => model.name === name).map(({ version }) => version),
    find: (name, version) => {
      const found = all.filter((model) => model.name === name && (version ?? model.version) === model.version).at(-1);
      if (found === undefined) throw new PredictionError('MODEL_UNKNOWN', `There is no model ${name}.`);
      return found;
    },
  };
}
