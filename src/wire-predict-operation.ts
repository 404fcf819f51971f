import { operationDefinition } from './entrances/fhir-operation/operation-definition.ts';
import type { PredictOperation } from './entrances/fhir-operation/predict-operation.ts';
import { readsImages } from './model-catalog/reads-images.ts';
import type { Config } from './platform/config.ts';
import type { House } from './wire.ts';

/** `$predict` of a house. */
export function predictOperationOf(
  { source, studies, validator, catalog }: Pick<House, 'source' | 'studies' | 'validator' | 'catalog'>,
  { siteTimeZone }: Pick<Config, 'siteTimeZone'>,
  by: Pick<PredictOperation, 'authorise' | 'predict'>,
): PredictOperation {
  return {
    definition: operationDefinition('predict'),
    timeZone: siteTimeZone,
    bases: [source.base, ...(source.earlierBases ?? [])],
    studies,
    describeModel: (id, version) => {
      const model = catalog.describe(id, version);
      const { manifest } = model;
      return {
        readsImages: readsImages(model),
        ...(manifest.cost === undefined ? {} : { costSeconds: manifest.cost.seconds }),
      };
    },
    validate: (resource) => validator.validate(resource),
    ...by,
  };
}
