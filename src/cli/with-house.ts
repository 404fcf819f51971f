import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { createLogger } from '../platform/logger.ts';
import type { House } from '../wire.ts';
import type { FirstDefaults } from '../wire-versions.ts';

/**
 * Opens the data itself, for a command that found no running server, and closes it whatever comes of the work.
 * @param firstDefaults `recorded` for a command that changes what versions may do: its own record must not be the first
 */
export async function withHouse<T>(
  config: Config,
  work: (house: House) => Promise<T>,
  firstDefaults: FirstDefaults = 'assumed',
): Promise<T> {
  // Only here: a command that asks a running server needs no house of its own.
  const { wire } = await import('../wire.ts');
  const logger = createLogger({ level: 'warn' });
  const listen = async (): Promise<string> => `http://${config.host}:${config.port}`;
  const house = await wire({ config, clock: systemClock, logger, listen, firstDefaults });
  try {
    return await work(house);
  } finally {
    await house.close();
  }
}
