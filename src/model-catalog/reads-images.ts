import type { FeatureMap } from './feature-map-schema.ts';

/** Whether predictions of a model read images, its own or those of the models whose outputs it takes. */
export function readsImages({ gathered }: { readonly gathered: Pick<FeatureMap, 'features'> }): boolean {
  return Object.values(gathered.features).some(({ kind }) => kind === 'image');
}
