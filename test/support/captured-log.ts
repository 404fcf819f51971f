import { Writable } from 'node:stream';
import { createLogger, type Logger, type LogLevel } from '../../src/platform/logger.ts';

/** A real logger whose lines a test can read: as they were written, and parsed. */
export function captureLog(level: LogLevel = 'debug'): {
  readonly logger: Logger;
  text(): string;
  lines(): Record<string, unknown>[];
} {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const text = () => chunks.join('');
  return {
    logger: createLogger({ level, stream }),
    text,
    lines: () =>
      text()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  };
}
