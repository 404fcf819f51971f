import type { FeatureMap } from '../feature-map-schema.ts';
import type { GoldenFile } from '../golden-case-schema.ts';
import type { Manifest } from '../manifest-schema.ts';

/** The parts of one model version that rules compare with each other. */
export interface LintedModel {
  readonly manifest: Manifest;
  readonly featureMap: FeatureMap;
  readonly golden: readonly { readonly file: string; readonly content: GoldenFile }[];
}
