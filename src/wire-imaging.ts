import { createImageSources } from './imaging/dicomweb/create-image-sources.ts';
import type { ImageSources } from './imaging/dicomweb/image-sources.ts';
import type { ImagingSettings } from './imaging/read-imaging-file.ts';
import { readSecretVariable } from './platform/config.ts';
import type { AllowedServer } from './platform/outbound/allowed-origins.ts';
import type { Outbound } from './platform/outbound/create-outbound.ts';

/** The image servers of IMAGING_FILE, with what it says about them. */
export interface Imaging {
  readonly settings: ImagingSettings;
  readonly sources: ImageSources;
}

/** The servers that IMAGING_FILE names. No request of anybody chooses what for: they may be anywhere in the house. */
export function imageServers(settings: ImagingSettings | undefined): AllowedServer[] {
  return Object.values(settings?.servers ?? {}).flatMap(({ url, qidoUrl = url, stowUrl = url }) =>
    [...new Set([url, qidoUrl, stowUrl])].map((base) => ({
      url: base,
      purpose: 'IMAGING_FILE',
      reach: 'private' as const,
    })),
  );
}

/** Opens them; nothing is asked. Undefined where no IMAGING_FILE is set. */
export function openImaging(
  settings: ImagingSettings | undefined,
  outbound: Pick<Outbound, 'to'>,
  opened: (close: () => Promise<void>) => void,
): Imaging | undefined {
  if (settings === undefined) return undefined;
  const sources = createImageSources(settings, { outbound, readVariable: readSecretVariable });
  opened(() => sources.close());
  return { settings, sources };
}
