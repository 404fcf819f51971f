import { Router } from 'express';
import { requestContext } from '../../http/request-context.ts';
import { sendText } from '../../http/send-resource.ts';
import { publishedSchemas, schemaText } from '../../model-catalog/published-schemas.ts';
import { PredictionError } from '../../platform/errors.ts';

/** `GET /schemas/{name}.schema.json`: the JSON Schemas of the files of a model folder. */
export function schemaRoutes(): Router {
  const router = Router();
  router.get('/:file', (request, response) => {
    requestContext(response).route = '/schemas/:file';
    const { file } = request.params;
    const schema = Object.hasOwn(publishedSchemas, file) ? publishedSchemas[file] : undefined;
    if (schema === undefined) {
      const known = Object.keys(publishedSchemas).join(', ');
      throw new PredictionError('RESOURCE_UNKNOWN', `There is no schema of this name. There are ${known}.`);
    }
    sendText(response, 200, schemaText(schema), 'application/schema+json');
  });
  router.all('/:file', (request, response) => {
    requestContext(response).route = '/schemas/:file';
    response.setHeader('Allow', 'GET, HEAD');
    throw new PredictionError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; allowed are GET and HEAD.`,
    );
  });
  return router;
}
