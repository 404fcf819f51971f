import { type ErrorCode, PredictionError } from './errors.ts';

/** What of an error may stand in a log. */
export interface ErrorForLog {
  readonly name: string;
  readonly code?: string;
  readonly message?: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly stack?: readonly string[];
  readonly cause?: ErrorForLog;
}

const maxCauses = 4;

/**
 * Errors about this server, its settings, models and neighbours. Every other message answers a caller and may quote what
 * the caller sent: an id, an asserted value, a search for a record number.
 */
const aboutTheServer: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MODEL_INVALID',
  'MODEL_NOT_READY',
  'RECORD_UNREACHABLE',
  'IMAGES_UNREACHABLE',
  'INFERENCE_FAILED',
  'ENGINE_UNAVAILABLE',
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
  'RESULT_INVALID',
  'STORAGE_FULL',
  'DATABASE_UNAVAILABLE',
  'STARTING',
  'SHUTTING_DOWN',
  'CONFIG_INVALID',
  'DATA_DIR_LOCKED',
  'INTERNAL',
]);

/**
 * Reduces a caught value to what may be logged. A PredictionError about the server itself keeps its message. Any other
 * message may quote what failed (an answer to a caller quotes the call, a driver's error the row, a JSON error the text),
 * so only the name, the code, the constraint and table, and the stack's frames remain.
 */
export function errorForLog(error: unknown, depth = 0): ErrorForLog {
  if (!(error instanceof Error)) return { name: error === null ? 'null' : typeof error };
  const cause = error.cause === undefined || depth >= maxCauses ? {} : { cause: errorForLog(error.cause, depth + 1) };
  if (error instanceof PredictionError) {
    const message = aboutTheServer.has(error.code) ? { message: error.message } : {};
    return { name: error.name, code: error.code, ...message, stack: framesOf(error), ...cause };
  }
  return {
    name: error.name,
    ...identifierOf(error, 'code'),
    ...identifierOf(error, 'constraint'),
    ...identifierOf(error, 'table'),
    stack: framesOf(error),
    ...cause,
  };
}

/** The frames without the head, because the head repeats the message. */
function framesOf(error: Error): string[] {
  const frame = /^\s+at .*(?:\(.+:\d+:\d+\)|[^\s]+:\d+:\d+)$/;
  const head = `${error.name}: ${error.message}`;
  const stack = error.stack ?? '';
  const frames = stack.startsWith(head)
    ? stack.slice(head.length)
    : stack.slice(stack.lastIndexOf(error.message) + error.message.length);
  return frames
    .split('\n')
    .filter((line) => frame.test(line))
    .map((line) => line.trim().slice(3))
    .slice(0, 12);
}

function identifierOf(error: Error, key: 'code' | 'constraint' | 'table'): Record<string, string> {
  const value = (error as unknown as Record<string, unknown>)[key];
  return typeof value === 'string' && /^[\w.$-]{1,80}$/.test(value) ? { [key]: value } : {};
}
