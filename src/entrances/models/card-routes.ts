import type { Device } from '@medplum/fhirtypes';
import { Router } from 'express';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import { sendText } from '../../http/send-resource.ts';
import { renderCard, sourceAttributesJson } from '../../model-catalog/card/render-card.ts';
import type { Catalog } from '../../model-catalog/catalog.ts';
import type { LoadedVersion } from '../../model-catalog/model-version.ts';
import { PredictionError } from '../../platform/errors.ts';
import { cardFormat, servedFormats } from './card-format.ts';

/** Cards choose their format among others than the rest of the server. */
export const cardPath = /^\/models\/[^/]+\/versions\/[^/]+\/card$/;

export interface CardRoutesOptions {
  readonly catalog: Pick<Catalog, 'describe'>;
  /** What results of a version name as their maker. */
  readonly deviceOf: (version: LoadedVersion) => Device;
  /** `YYYY-MM-DD` at the site: on which day a review is overdue. */
  readonly today: () => string;
}

/**
 * `GET /models/{id}/versions/{version}/card`: the card as a page, JSON, Markdown or the FHIR Device that holds it, by Accept
 * or `format`; `…/card/dsi`: the 31 source attributes (DSI-40). A version that may not answer has its card all the same.
 */
export function cardRoutes({ catalog, deviceOf, today }: CardRoutesOptions): Router {
  const router = Router();
  router.get('/:id/versions/:version/card', (request, response) => {
    requestContext(response).route = '/models/:id/versions/:version/card';
    response.vary('Accept');
    const format = cardFormat(request.query, request.get('Accept'));
    const version = catalog.describe(request.params.id, request.params.version);
    const text = format === 'fhir' ? JSON.stringify(deviceOf(version)) : renderCard(version, format, today());
    sendText(response, 200, text, servedFormats[format]);
  });
  router.get('/:id/versions/:version/card/dsi', (request, response) => {
    requestContext(response).route = '/models/:id/versions/:version/card/dsi';
    const version = catalog.describe(request.params.id, request.params.version);
    const { id, version: number } = version.manifest;
    sendJson(response, 200, { model: id, version: number, digest: version.digest, ...sourceAttributesJson(version) });
  });
  router.all(['/:id/versions/:version/card', '/:id/versions/:version/card/dsi'], (request, response) => {
    response.setHeader('Allow', 'GET, HEAD');
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; allowed are GET and HEAD.`,
    );
  });
  return router;
}
