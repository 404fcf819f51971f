import { PredictionError } from './errors.ts';

const diskFull = new Set(['53100', 'ENOSPC', 'EDQUOT']);
const unavailable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOENT', // the socket of the embedded database is gone
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  '25P03', // idle in a transaction for too long
  '28000', // invalid authorization
  '28P01', // invalid password
  '3D000', // no such database
  '53300', // too many connections
  '57014', // cancelled by statement_timeout
  '57P01', // the administrator ends the connection
  '57P02', // another backend crashed
  '57P03', // starting up or shutting down
  '57P05', // idle session timeout
]);
/** Failures of the driver itself, which carry no code. */
const driverMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/** The SQLSTATE (`23505`: unique violation) or the system's code of a failed statement, where it has one. */
export function databaseErrorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as unknown as Record<string, unknown>).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * A full disk becomes STORAGE_FULL, a database that does not answer DATABASE_UNAVAILABLE. Everything else is returned
 * as it is: its SQLSTATE means something to the caller, or it is a bug.
 */
export function toDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PredictionError) return error;
  const code = databaseErrorCode(error) ?? '';
  if (diskFull.has(code)) return storageFull(error);
  if (unavailable.has(code) || code.startsWith('08') || driverMessages.test(error.message)) {
    return new PredictionError(
      'DATABASE_UNAVAILABLE',
      `The database does not answer${code === '' ? '' : ` (${code})`}. Only what was acknowledged is certain to be kept: ` +
        'repeat the request once the database runs. With DATABASE_URL, check that the server it names accepts connections.',
      { cause: error },
    );
  }
  return error;
}

/** Whether the connection must be closed after this failure: a full disk may have ended the session behind it. */
export function breaksConnection(error: unknown): boolean {
  return isUnavailable(error) || (error instanceof PredictionError && error.code === 'STORAGE_FULL');
}

/** Whether a rollback would wait for a server that does not answer. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof PredictionError && error.code === 'DATABASE_UNAVAILABLE';
}

export function storageFull(cause: unknown): PredictionError {
  return new PredictionError(
    'STORAGE_FULL',
    'No space is left for the database. What was acknowledged is kept, nothing of this request was. Free space on the ' +
      'volume of the database (DATA_DIR, or the server that DATABASE_URL names) and try again.',
    { cause },
  );
}
