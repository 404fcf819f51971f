import { type Request, Router } from 'express';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import { sendText } from '../../http/send-resource.ts';
import type { Catalog } from '../../model-catalog/catalog.ts';
import { findOutput, outputNames, outputText } from '../../model-catalog/model-outputs.ts';
import type { LoadedVersion } from '../../model-catalog/model-version.ts';
import { PredictionError } from '../../platform/errors.ts';
import { describeModel, listModels, standingOf } from './describe-model.ts';
import { type InventoryOptions, inventoryEntry } from './inventory-entry.ts';
import { versionsAsked } from './output-of-models.ts';
import { versionReport } from './version-report.ts';

/**
 * `GET /models`, the inventory of the house, `GET /models/{id}[?version=V]`, `GET /models/{id}/{output}` and `GET /models/{id}/versions/{version}`: what
 * is served, from which sources, for whom, what is to be asked of a FHIR server for it, and how it was tested.
 */
export function modelRoutes(
  catalog: Catalog,
  optOutBy: readonly ('consent' | 'group')[],
  inventory: InventoryOptions,
): Router {
  const router = Router();
  router.get('/', (_request, response) => {
    requestContext(response).route = '/models';
    sendJson(
      response,
      200,
      listModels(catalog, (version) => inventoryEntry(version, inventory)),
    );
  });
  router.get('/:id', (request, response) => {
    requestContext(response).route = '/models/:id';
    const found = versionOf(catalog, request);
    const versions = catalog.list().filter(({ manifest }) => manifest.id === found.manifest.id);
    sendJson(
      response,
      200,
      describeModel(
        found,
        standingOf(catalog, found),
        versions.map(({ manifest }) => manifest.version),
      ),
    );
  });
  router.get('/:id/:output', (request, response) => {
    const output = findOutput(request.params.output);
    requestContext(response).route = `/models/:id/${output === undefined ? ':output' : request.params.output}`;
    const found = versionOf(catalog, request);
    if (output === undefined) {
      throw new PredictionError(
        'RESOURCE_UNKNOWN',
        `Nothing of this name is made from a model. There are ${outputNames.join(', ')}.`,
      );
    }
    const versions = versionsAsked(catalog, found, output, request.query);
    sendText(response, 200, outputText(output, versions, optOutBy), output.contentType);
  });
  router.get('/:id/versions/:version', (request, response) => {
    requestContext(response).route = '/models/:id/versions/:version';
    const { id, version } = request.params;
    sendJson(response, 200, versionReport(catalog, id, version));
  });
  router.all(['/', '/:id', '/:id/:output', '/:id/versions/:version'], (request, response) => {
    response.setHeader('Allow', 'GET, HEAD');
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; allowed are GET and HEAD.`,
    );
  });
  return router;
}

/** The version that an address names. Throws PARAMETER_INVALID, MODEL_UNKNOWN, MODEL_NOT_READY. */
function versionOf(catalog: Catalog, request: Request<{ id: string }>): LoadedVersion {
  const { version: wanted } = request.query;
  if (wanted !== undefined && typeof wanted !== 'string')
    throw new PredictionError('PARAMETER_INVALID', 'version is given twice; one is allowed.');
  return catalog.describe(request.params.id, wanted);
}
