import type { Logger } from '../../src/platform/logger.ts';

/** For parts that need a logger in a test that does not look at the log. */
export const silentLogger: Logger = { event: () => undefined, with: () => silentLogger };
