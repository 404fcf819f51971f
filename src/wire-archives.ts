import type { ImageSources } from './imaging/dicomweb/image-sources.ts';
import { ImageFault } from './imaging/image-fault.ts';
import { findObjects, keepObjects } from './imaging/objects/keep-objects.ts';
import { objectRoles } from './imaging/objects/object-names.ts';
import type { PixelWorkers } from './imaging/preprocess/pixel-workers.ts';
import { packageVersion } from './package-version.ts';
import { PredictionError } from './platform/errors.ts';
import { keptUnder, reportToKeep } from './results/report-to-keep.ts';
import type { ObjectArchive } from './write-back/sinks/object-archive.ts';
import type { SinkSettings } from './write-back/sinks/sink-schema.ts';

export interface ArchiveParts {
  /** The servers of IMAGING_FILE; undefined where there is none. */
  readonly sources: ImageSources | undefined;
  readonly workers: Pick<PixelWorkers, 'objects'> | undefined;
  /** IANA zone of the site. */
  readonly timeZone: string;
}

/** The archives of the sinks of kind `dicomweb`, by the name of the sink. Throws CONFIG_INVALID for one that names no server of IMAGING_FILE. */
export function openArchives(
  sinks: readonly SinkSettings[],
  { sources, workers, timeZone }: ArchiveParts,
): ReadonlyMap<string, ObjectArchive> {
  const archives = new Map<string, ObjectArchive>();
  const servers = sources?.all() ?? [];
  const software = packageVersion();
  for (const sink of sinks) {
    if (sink.kind !== 'dicomweb') continue;
    const source = servers.find(({ name }) => name === sink.server);
    if (source === undefined || workers === undefined)
      throw unknownServer(
        sink.name,
        sink.server,
        servers.map(({ name }) => name),
      );
    archives.set(sink.name, {
      at: source.base,
      keep: (report, version, kinds, signal) =>
        aboutReport(async () => {
          const parts = { source, workers, software, timeZone };
          const keeping = await keepObjects(parts, reportToKeep(report, version), kinds, signal);
          if (typeof keeping === 'string') return keeping;
          const { kept, refused, outdated } = keeping;
          return {
            outdated,
            kept: Object.fromEntries(kept.map(({ name, sopInstanceUid }) => [name, sopInstanceUid])),
            refused: refused.map(({ name, reason }) => ({ name, ...(reason === undefined ? {} : { reason }) })),
          };
        }),
      count: (report, signal) =>
        aboutReport(async () => (await findObjects(source, keptUnder(report), objectRoles, signal)).length),
    });
  }
  return archives;
}

/** An image that no object can be made about is a fault of the one report. */
async function aboutReport<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error;
    throw new PredictionError('RESULT_INVALID', `No object of DICOM is made of the report: ${error.message}`, {
      cause: error,
    });
  }
}

function unknownServer(sink: string, server: string, known: readonly string[]): PredictionError {
  const allowed =
    known.length === 0 ? 'there is no IMAGING_FILE, which declares them' : `declared are ${known.join(', ')}`;
  const message = `SINKS_FILE: the sink '${sink}' names the image server '${server}', which IMAGING_FILE does not declare; ${allowed}.`;
  return new PredictionError('CONFIG_INVALID', message, { issues: [{ message }] });
}
