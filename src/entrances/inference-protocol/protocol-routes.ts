import { type Request, type Response, Router } from 'express';
import { parseMediaType } from '../../http/media-type.ts';
import { readBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import { sendText } from '../../http/send-resource.ts';
import { binaryExtension, headerLengthName } from '../../model-catalog/inference-protocol/frame.ts';
import { tensorMetadata } from '../../model-catalog/inference-protocol/metadata.ts';
import { PredictionError } from '../../platform/errors.ts';
import { checkFeeds } from './check-feeds.ts';
import { renderAnswer, wantedOutputs } from './infer-answer.ts';
import type { InferenceModels, ServedModel } from './inference-models.ts';
import { parseInferRequest } from './parse-infer-request.ts';
import { requireProtocolToken } from './protocol-token.ts';

export interface ProtocolOptions {
  readonly models: InferenceModels;
  /** That every call must show. */
  readonly token: string;
  /** Of this server. */
  readonly version: string;
  readonly maxBodyBytes: number;
  /** How long one inference may take. */
  readonly timeoutMs: number;
}

/** What the protocol calls models of this kind. */
const platform = 'onnx_onnxv1';

const jsonTypes = ['application/json', 'text/json'];
const bytesType = 'application/octet-stream';

type ModelRequest = Request<{ model: string; version?: string }>;

/**
 * `/v2`: the Open Inference Protocol, with binary tensors. Tensors go into the graph as they come: nobody's eligibility, units
 * or missing values are looked at, and nothing is written or logged about anybody.
 * @see https://github.com/kserve/open-inference-protocol
 */
export function protocolRoutes(options: ProtocolOptions): Router {
  const { models } = options;
  const router = Router();
  const named = (response: Response, route: string): void => {
    requestContext(response).route = `/v2${route}`;
  };
  const find = ({ params }: ModelRequest): ServedModel => models.find(params.model, params.version);

  router.use(requireProtocolToken(options.token));
  router.get('/', (_request, response) => {
    named(response, '');
    sendJson(response, 200, { name: 'fhirsight', version: options.version, extensions: [binaryExtension] });
  });
  router.get('/health/live', (_request, response) => {
    named(response, '/health/live');
    sendJson(response, 200, { live: true });
  });
  router.get('/health/ready', (_request, response) => {
    named(response, '/health/ready');
    const ready = models.allReady();
    sendJson(response, ready ? 200 : 503, { ready });
  });
  for (const route of ['/models/:model', '/models/:model/versions/:version']) {
    router.get(route, (request: ModelRequest, response) => {
      named(response, route);
      const { name, inputs, outputs } = find(request);
      sendJson(response, 200, {
        name,
        versions: models.versionsOf(name),
        platform,
        inputs: inputs.map(tensorMetadata),
        outputs: outputs.map(tensorMetadata),
      });
    });
    router.get(`${route}/ready`, (request: ModelRequest, response) => {
      named(response, `${route}/ready`);
      sendJson(response, 200, { name: find(request).name, ready: true });
    });
    router.post(`${route}/infer`, async (request: ModelRequest, response) => {
      named(response, `${route}/infer`);
      await models.held(() => infer(find(request), request, response, options));
    });
    router.all(`${route}/infer`, only('POST'));
    router.all([route, `${route}/ready`], only('GET, HEAD'));
  }
  router.all(['/', '/health/live', '/health/ready'], only('GET, HEAD'));
  router.use((_request, response) => {
    named(response, '/*');
    throw new PredictionError(
      'OPERATION_UNKNOWN',
      'There is nothing at this path. There are /v2, /v2/health/live and ready, and /v2/models/{name}[/versions/{version}] with ready and infer.',
    );
  });
  return router;
}

async function infer(
  model: ServedModel,
  request: Request,
  response: Response,
  { maxBodyBytes, timeoutMs }: ProtocolOptions,
): Promise<void> {
  const answerBy = performance.now() + timeoutMs;
  const headerLength = request.get(headerLengthName);
  refuseType(request, headerLength !== undefined);
  const asked = parseInferRequest(await readBody(request, maxBodyBytes), headerLength);
  const wanted = wantedOutputs(model, asked);
  checkFeeds(model, asked.inputs);
  const outputs = await untilGone(response, timeoutMs, (signal) =>
    model.infer(asked.inputs, wanted, { lane: 'batch', answerBy, signal }),
  );
  const answer = renderAnswer(model, asked, wanted, outputs);
  if (answer.headerLength === undefined) {
    sendText(response, 200, answer.body.toString('utf8'), 'application/json');
    return;
  }
  response.setHeader('Content-Type', bytesType);
  response.setHeader(headerLengthName, answer.headerLength);
  response.setHeader('Content-Length', answer.body.length).end(answer.body);
}

/** @param run gets a signal that is aborted when the time is up, or the caller has gone */
async function untilGone<T>(
  response: Response,
  timeoutMs: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const abort = (): void => over.abort();
  const timer = setTimeout(abort, timeoutMs);
  response.once('close', abort);
  try {
    return await run(over.signal);
  } finally {
    clearTimeout(timer);
    response.off('close', abort);
  }
}

/** Clients of the protocol are careless about the type; only what surely is something else is refused. */
function refuseType(request: Request, binary: boolean): void {
  const given = request.get('Content-Type');
  const type = given === undefined ? undefined : (parseMediaType(given)?.type ?? '');
  if (type === undefined || jsonTypes.includes(type) || (binary && type === bytesType)) return;
  const what =
    type === bytesType ? `${bytesType} needs the header ${headerLengthName}` : `${type.slice(0, 80)} is not read here`;
  throw new PredictionError(
    'CONTENT_TYPE_UNSUPPORTED',
    `Content-Type ${what}; send application/json, or JSON and then the bytes of tensors as ${bytesType} with ${headerLengthName}. curl needs -H 'Content-Type: application/json'.`,
  );
}

function only(allowed: string): (request: Request, response: Response) => never {
  return (request, response) => {
    response.setHeader('Allow', allowed);
    throw new PredictionError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; allowed is ${allowed}.`);
  };
}
