import { createImageSources } from './imaging/dicomweb/create-image-sources.ts';
import type { ImageSources } from './imaging/dicomweb/image-sources.ts';
import { createImageMemory } from './imaging/image-memory.ts';
import { createPixelWorkers, type PixelWorkers } from './imaging/preprocess/pixel-workers.ts';
import type { ImagingParts } from './imaging/read-images.ts';
import type { ImagingSettings } from './imaging/read-imaging-file.ts';
import type { Clock } from './platform/clock.ts';
import { readSecretVariable } from './platform/config.ts';
import type { Logger } from './platform/logger.ts';
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

/** What predictions read images by; threads are opened when the first image comes. Undefined where no image server is configured. */
export function openImageReading(
  imaging: Imaging | undefined,
  { clock, logger }: { readonly clock: Clock; readonly logger: Pick<Logger, 'event'> },
  opened: (close: () => Promise<void>) => void,
): (ImagingParts & { readonly workers: PixelWorkers }) | undefined {
  if (imaging === undefined) return undefined;
  const { sources, settings } = imaging;
  const { limits, quietPeriodMs, patientIdentifiers } = settings;
  const workers = createPixelWorkers({ failed: (error) => logger.event({ name: 'error.unexpected', error }) });
  opened(() => workers.close());
  const memory = createImageMemory(limits.memoryBytes);
  return { sources, workers, limits, memory, quietPeriodMs, patientIdentifiers, clock };
}
