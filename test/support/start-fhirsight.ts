import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFhirsight } from '../../src/index.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { Logger } from '../../src/platform/logger.ts';
import type { House } from '../../src/wire.ts';
import { keepAnswer, keepStored } from './checked/written-resources.ts';
import { publishedModels } from './demonstrations.ts';
import { privateMetricsOf, privatePlacesIn } from './private-places.ts';
import { watchPrivateWords } from './private-words.ts';
import { silentLogger } from './silent-logger.ts';
import { someModels } from './some-models.ts';
import { createTestDataDir, type TestDataDir } from './test-data-dir.ts';

/** A whole fhirsight in this process, reached over real HTTP. */
export interface StartedFhirsight {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The FHIR base. */
  readonly fhir: string;
  /** The open parts, to look behind the interface. */
  readonly house: House;
  /** Closes the server and, unless it was given, removes its data. */
  close(): Promise<void>;
}

export interface StartFhirsightOptions {
  /** By the names of `.env.example`; DATA_DIR and DATABASE_URL come from `data`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Kept on close; absent: an empty one, removed on close. */
  readonly data?: TestDataDir;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** The shipped models that are served, where the settings name no MODELS_DIR; absent: `prevent-base`. `published`: all but the demonstrations. */
  readonly models?: readonly string[] | 'all' | 'published';
}

/** Starts a server on a free port, without sample patients. */
export async function startFhirsight(options: StartFhirsightOptions = {}): Promise<StartedFhirsight> {
  const data = options.data ?? (await createTestDataDir());
  const { models = ['prevent-base'] } = options;
  const served =
    models === 'all' ? {} : { MODELS_DIR: await someModels(models === 'published' ? publishedModels : models) };
  const privateWords = watchPrivateWords(options.logger ?? silentLogger);
  const fhirsight = createFhirsight({
    settings: { PORT: '0', ...served, ...options.settings, ...data.settings },
    logger: privateWords.logger,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const server = createServer((request, response) => {
    keepAnswer(request, response);
    fhirsight.router(request, response);
  });
  let url = '';
  let house: House | undefined;
  // Closed once, it has been searched, and has no database any more.
  let isSearched = false;
  const close = async (): Promise<void> => {
    const places: string[] = [];
    if (house !== undefined && !isSearched) {
      isSearched = true;
      places.push(...(await privatePlacesIn(house.database).catch((error: unknown) => [`not known: ${error}`])));
      if (server.listening) places.push(...(await privateMetricsOf(url)));
    }
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    if (house !== undefined) await keepStored(house);
    await fhirsight.close();
    server.closeAllConnections();
    await closed;
    if (options.data === undefined) await data.remove();
    if (privateWords.told.length > 0)
      throw new Error(`the log names a patient of the test: ${privateWords.told.join('\n')}`);
    if (places.length > 0) throw new Error(`a patient of the test stands in the clear: ${places.join('\n')}`);
  };
  try {
    await fhirsight.start({
      listen: async () => {
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        return url;
      },
      prepare: async (opened) => {
        house = opened;
      },
    });
  } catch (error) {
    isSearched = true; // what failed to start has closed its database already
    await close();
    throw error;
  }
  if (house === undefined) throw new Error('fhirsight started without showing its parts');
  return { url, fhir: `${url}/fhir/R4`, house, close };
}
