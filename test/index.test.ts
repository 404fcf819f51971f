import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFhirsight, type Fhirsight, type House } from '../src/index.ts';
import type { LogEvent } from '../src/platform/events.ts';
import type { Logger } from '../src/platform/logger.ts';
import { someModels } from './support/some-models.ts';
import { createTestDataDir, type TestDataDir } from './support/test-data-dir.ts';

let data: TestDataDir;
const modelsDir = await someModels(['prevent-base']);
beforeAll(async () => {
  data = await createTestDataDir();
});
afterAll(() => data.remove());

function create(): { fhirsight: Fhirsight; events: LogEvent[] } {
  const events: LogEvent[] = [];
  const logger: Logger = { event: (event) => void events.push(event), with: () => logger };
  return {
    fhirsight: createFhirsight({ settings: { PORT: '0', MODELS_DIR: modelsDir, ...data.settings }, logger }),
    events,
  };
}

/** Fails unless everything of an earlier server was closed: the data directory is free. */
async function startsAndCloses(): Promise<void> {
  const { fhirsight } = create();
  await fhirsight.start();
  await fhirsight.close();
}

const breaking = (part: 'start' | 'close') => async (house: House) => {
  Object.assign(house.runs, {
    [part]: async () => {
      throw new Error(`runs.${part} is broken`);
    },
  });
};

describe('a server whose runs are broken', { timeout: 60_000 }, () => {
  it('and cannot start holds nothing afterwards: another one can take its data', async () => {
    const { fhirsight } = create();
    await expect(fhirsight.start({ prepare: breaking('start') })).rejects.toThrow('runs.start is broken');
    await fhirsight.close();
    await startsAndCloses();
  });

  it('and cannot close them closes everything else, and says so', async () => {
    const { fhirsight, events } = create();
    await fhirsight.start({ prepare: breaking('close') });
    await expect(fhirsight.close()).rejects.toThrow('runs.close is broken');
    expect(events).toContainEqual({ name: 'error.unexpected', error: expect.any(Error) });
    expect(events).toContainEqual(expect.objectContaining({ name: 'database.closed' }));
    await startsAndCloses();
  });
});
