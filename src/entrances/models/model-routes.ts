import { Router } from 'express';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import type { Catalog } from '../../model-catalog/catalog.ts';
import type { LoadedVersion } from '../../model-catalog/model-version.ts';
import { PredictionError } from '../../platform/errors.ts';
import { describeModel, summariseModel } from './describe-model.ts';

/** `GET /models` and `GET /models/{id}[?version=V]`: what is served, from which sources, for whom. */
export function modelRoutes(catalog: Catalog): Router {
  const router = Router();
  const isDefault = ({ manifest }: LoadedVersion): boolean =>
    catalog.find(manifest.id).manifest.version === manifest.version;
  router.get('/', (_request, response) => {
    requestContext(response).route = '/models';
    sendJson(response, 200, {
      models: catalog.list().map((version) => summariseModel(version, isDefault(version))),
      refused: catalog.refused.map(({ dir, reason }) => ({ folder: dir, reason })),
    });
  });
  router.get('/:id', (request, response) => {
    requestContext(response).route = '/models/:id';
    const { version: wanted } = request.query;
    if (wanted !== undefined && typeof wanted !== 'string')
      throw new PredictionError('PARAMETER_INVALID', 'version is given twice; one is allowed.');
    const found = catalog.find(request.params.id, wanted);
    const versions = catalog.list().filter(({ manifest }) => manifest.id === found.manifest.id);
    sendJson(
      response,
      200,
      describeModel(
        found,
        isDefault(found),
        versions.map(({ manifest }) => manifest.version),
      ),
    );
  });
  router.all(['/', '/:id'], (request, response) => {
    response.setHeader('Allow', 'GET, HEAD');
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; allowed are GET and HEAD.`,
    );
  });
  return router;
}
