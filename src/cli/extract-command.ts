import { createPixelWorkers } from '../imaging/preprocess/pixel-workers.ts';
import { readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { parseExtractOptions } from './extract/extract-options.ts';
import { openMatrixFile } from './extract/matrix-file.ts';
import { createMatrixImages } from './extract/matrix-images.ts';

/** `fhirsight extract`: the training matrix of a model as a file. @returns 0 where every row has its values, 1 where one failed */
export async function extractCommand(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void =>
    stop.abort(new PredictionError('SHUTTING_DOWN', 'The extraction was stopped. No file was written.'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  try {
    const options = await parseExtractOptions(args, () => readConfigFromProcess().siteTimeZone);
    const config = readConfigFromProcess();
    const file = await openMatrixFile(options.out, options.force);
    const workers = createPixelWorkers({ threads: 1 });
    const images = createMatrixImages(options.out, options.force, (picture) => workers.png(picture));
    try {
      // Only here: a slip of the pen waits for no server to be loaded.
      const [{ withExtraction }, { fillMatrix }] = await Promise.all([
        import('./extract/open-extraction.ts'),
        import('./extract/fill-matrix.ts'),
      ]);
      const tally = await withExtraction(config, (extraction) =>
        fillMatrix({ handle: file.handle, images }, extraction, options, stop.signal),
      );
      await images.commit();
      await file.commit();
      process.stderr.write(tally.text());
      return tally.failed > 0 ? 1 : 0;
    } catch (error) {
      await images.discard();
      await file.discard();
      throw isStorageFull(error)
        ? new PredictionError('STORAGE_FULL', `No space is left for ${options.out}. No file was written.`, {
            cause: error,
          })
        : error;
    } finally {
      await workers.close();
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, onSignal);
  }
}

function isStorageFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}
