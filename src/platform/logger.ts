import type { Writable } from 'node:stream';
import winston from 'winston';
import { eventLevel } from './event-level.ts';
import type { LogEvent } from './events.ts';
import { errorForLog } from './logged-error.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** What every line of one request carries; ids that are ours, and nothing else. */
export interface LogContext {
  readonly requestId?: string;
  readonly tenant?: string;
}

export interface Logger {
  event(event: LogEvent): void;
  /** A logger whose every line also carries `context`. */
  with(context: LogContext): Logger;
}

/**
 * Writes one JSON line per event: `time` (ISO 8601, UTC), `level`, `event`, the context, the event's own fields.
 * @param stream where the lines go; the process's standard error by default, so that a command's own output stays clean
 */
export function createLogger(options: { readonly level: LogLevel; readonly stream?: Writable }): Logger {
  const logger = winston.createLogger({
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    level: options.level,
    format: winston.format.combine(winston.format.timestamp({ alias: 'time' }), winston.format.printf(lineOf)),
    transports: [new winston.transports.Stream({ stream: options.stream ?? process.stderr })],
  });
  return withContext(logger, {}, (level) => logger.isLevelEnabled(level));
}

function withContext(logger: winston.Logger, context: LogContext, isLogged: (level: LogLevel) => boolean): Logger {
  return {
    event(event) {
      const level = eventLevel(event);
      if (!isLogged(level)) return;
      const { name, ...fields } = event;
      const safe = 'error' in fields ? { ...fields, error: errorForLog(fields.error) } : fields;
      logger.log({ level, message: name, fields: { ...context, ...safe } });
    },
    with: (more) => withContext(logger, { ...context, ...more }, isLogged),
  };
}

function lineOf(info: winston.Logform.TransformableInfo): string {
  return JSON.stringify({ time: info.timestamp, level: info.level, event: info.message, ...(info.fields as object) });
}
