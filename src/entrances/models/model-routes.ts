import { type Request, Router } from 'express';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import { sendText } from '../../http/send-resource.ts';
import type { Catalog } from '../../model-catalog/catalog.ts';
import { findOutput, outputNames, outputText } from '../../model-catalog/model-outputs.ts';
import type { LoadedVersion } from '../../model-catalog/model-version.ts';
import { PredictionError } from '../../platform/errors.ts';
import { describeModel, type ModelStanding, summariseModel } from './describe-model.ts';
import { type InventoryOptions, inventoryEntry } from './inventory-entry.ts';
import { versionsAsked } from './output-of-models.ts';

/**
 * `GET /models`, the inventory of the house, `GET /models/{id}[?version=V]` and `GET /models/{id}/{output}`: what is served,
 * from which sources, for whom, and what is to be asked of a FHIR server for it.
 */
export function modelRoutes(
  catalog: Catalog,
  optOutBy: readonly ('consent' | 'group')[],
  inventory: InventoryOptions,
): Router {
  const router = Router();
  router.get('/', (_request, response) => {
    requestContext(response).route = '/models';
    sendJson(response, 200, {
      models: catalog.list().map((version) => ({
        ...summariseModel(version, standingOf(catalog, version)),
        ...inventoryEntry(version, inventory),
      })),
      refused: catalog.refused.map(({ dir, reason }) => ({ folder: dir, reason })),
    });
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
  router.all(['/', '/:id', '/:id/:output'], (request, response) => {
    response.setHeader('Allow', 'GET, HEAD');
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; allowed are GET and HEAD.`,
    );
  });
  return router;
}

/** @see ModelStanding */
function standingOf(catalog: Catalog, version: LoadedVersion): ModelStanding {
  const off = catalog.switchedOff(version);
  return { state: catalog.stateOf(version), ...(off === undefined ? {} : { switchedOff: off }) };
}

/** The version that an address names. Throws PARAMETER_INVALID, MODEL_UNKNOWN, MODEL_NOT_READY. */
function versionOf(catalog: Catalog, request: Request<{ id: string }>): LoadedVersion {
  const { version: wanted } = request.query;
  if (wanted !== undefined && typeof wanted !== 'string')
    throw new PredictionError('PARAMETER_INVALID', 'version is given twice; one is allowed.');
  return catalog.describe(request.params.id, wanted);
}
