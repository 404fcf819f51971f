import { databaseErrorCode } from '../platform/database-error.ts';
import { PredictionError } from '../platform/errors.ts';

const mostRetries = 3;
/** Deadlock, and serialisation failure: PostgreSQL undid the transaction for the sake of another one. */
const conflicts = ['40P01', '40001'];

/**
 * Repeats a whole transaction that the database ended because another one was in its way.
 * Throws WRITE_REJECTED where that happens every time.
 */
export async function retryingConflicts<Result>(transaction: () => Promise<Result>): Promise<Result> {
  for (let retries = 0; ; retries++) {
    try {
      return await transaction();
    } catch (error) {
      const code = databaseErrorCode(error instanceof PredictionError ? error.cause : error);
      if (code === undefined || !conflicts.includes(code)) throw error;
      if (retries === mostRetries) {
        const message =
          'Other transactions keep writing the resources of this result; nothing of it was kept. Send it again.';
        throw new PredictionError('WRITE_REJECTED', message, { cause: error });
      }
    }
  }
}
