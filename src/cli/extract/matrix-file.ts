import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { PredictionError } from '../../platform/errors.ts';

/** A file that has its name only when it is whole. */
export interface MatrixFile {
  readonly handle: FileHandle;
  /** Puts what was written in place. Throws PARAMETER_INVALID where a file of that name has come into being meanwhile. */
  commit(): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/**
 * Opens a hidden file beside `out`, readable for its owner alone: it holds data of patients.
 * Throws PARAMETER_INVALID for a file that exists, without `force`, and for a folder that cannot be written to.
 */
export async function openMatrixFile(out: string, force: boolean): Promise<MatrixFile> {
  const target = path.resolve(out);
  const refuseExisting = (): void => {
    if (!force && existsSync(target)) throw invalid(`${out} exists. Name another file, or replace it with --force.`);
  };
  refuseExisting();
  if (await isFolder(target)) throw invalid(`--out ${out} is a folder. Name a file.`);
  const draft = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.partial`);
  const handle = await open(draft, 'w', 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw new PredictionError('PARAMETER_INVALID', `--out ${out} cannot be written there (${cause.code}).`, { cause });
  });
  const discard = async (): Promise<void> => {
    await handle.close().catch(() => undefined); // a commit that was refused has closed it
    await rm(draft, { force: true });
  };
  return {
    handle,
    discard,
    async commit() {
      await handle.sync();
      refuseExisting();
      await handle.close();
      await rename(draft, target);
    },
  };
}

async function isFolder(target: string): Promise<boolean> {
  return existsSync(target) && (await stat(target)).isDirectory();
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message);
}
