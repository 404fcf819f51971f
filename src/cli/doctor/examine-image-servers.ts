import { readImagingFile } from '../../imaging/read-imaging-file.ts';
import type { Config } from '../../platform/config.ts';
import { PredictionError } from '../../platform/errors.ts';
import { imageServers, openImaging } from '../../wire-imaging.ts';
import { openOutbound } from '../../wire-outbound.ts';

/** What a server of IMAGING_FILE says to a search for any one study. */
export interface ImageServerExamination {
  readonly name: string;
  readonly base: string;
  readonly answers: boolean;
  /** Why it does not, and the way out. */
  readonly reason?: string;
}

/** Asks each server of IMAGING_FILE. Throws CONFIG_INVALID where the file is bad. */
export async function examineImageServers(
  config: Pick<Config, 'imagingFile' | 'outboundPrivateHosts'>,
): Promise<readonly ImageServerExamination[]> {
  const settings = await readImagingFile(config.imagingFile);
  const named = { fhirBaseUrl: undefined, fhirTokenUrl: undefined, cdsFhirServers: [] };
  const outbound = openOutbound(
    { ...config, ...named },
    { sinks: [], further: imageServers(settings) },
    () => undefined,
  );
  let close = async (): Promise<void> => undefined;
  try {
    const imaging = openImaging(settings, outbound, (closing) => {
      close = closing;
    });
    return await Promise.all(
      (imaging?.sources.all() ?? []).map(async (source) => {
        const { name, base } = source;
        try {
          await source.check();
          return { name, base, answers: true };
        } catch (error) {
          if (!(error instanceof PredictionError)) throw error;
          return { name, base, answers: false, reason: error.message };
        }
      }),
    );
  } finally {
    await close();
    await outbound.close();
  }
}
