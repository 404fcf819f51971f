import type { ModelCard } from '../model-card-schema.ts';
import type { ModelVersion } from '../model-version.ts';
import type { SiteFileContent } from '../site-file-schema.ts';
import type { Governance } from './governance-schema.ts';

/** What a site file says of one version: what it says of the version itself goes before what it says of the model. */
export function governanceOf(
  site: Pick<SiteFileContent, 'models'> | undefined,
  { id, version }: { readonly id: string; readonly version: string },
): Governance | undefined {
  const { models = {} } = site ?? {};
  const [ofModel, ofVersion] = [id, `${id}@${version}`].map((key) => (Object.hasOwn(models, key) ? models[key] : {}));
  const both = { ...ofModel, ...ofVersion };
  return Object.keys(both).length === 0 ? undefined : both;
}

/** The card as it stands at this site. The card in the Device is that of the folder: who owns a model changes no number. */
export function cardAtSite({ card, governance }: Pick<ModelVersion, 'card' | 'governance'>): ModelCard {
  return { ...card, ...governance };
}
