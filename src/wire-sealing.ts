import { sealClearWords } from './monitoring/sealed-words.ts';
import type { Config } from './platform/config.ts';
import type { Database } from './platform/database.ts';
import type { LogEvent } from './platform/events.ts';
import { createValuesCipher, readValuesKeys, type ValuesCipher } from './platform/values-cipher.ts';
import { readWorkKeys, refuseForeignWork } from './platform/work-keys.ts';
import { sealClearCohorts } from './runs/sealed-cohort.ts';

/** What seals texts and values in the database. */
export interface Sealing {
  /** Of what is kept for people: values of predictions, comments. Absent where no key is set: neither is kept. */
  readonly values?: ValuesCipher;
  /** Of what the server itself must read again. */
  readonly work: ValuesCipher;
  /**
   * Seals what older releases have left in the clear; comments only where a key is set.
   * Throws CONFIG_INVALID where another server of the database has another key.
   */
  sealOld(database: Database): Promise<void>;
}

/** Throws CONFIG_INVALID where a key is not one. */
export async function openSealing(config: Config, event: (event: LogEvent) => void): Promise<Sealing> {
  const keys = await readValuesKeys(config);
  const own = await readWorkKeys(config.dataDir, keys);
  const values = keys && createValuesCipher(keys);
  const work = createValuesCipher(own);
  const { tenant } = config;
  return {
    ...(values && { values }),
    work,
    async sealOld(database) {
      await refuseForeignWork(database, tenant, { own, configured: keys !== undefined });
      const runs = await sealClearCohorts(database, tenant, work);
      const words = values === undefined ? 0 : await sealClearWords(database, tenant, values);
      if (runs + words > 0) event({ name: 'texts.sealed', runs, words });
    },
  };
}
