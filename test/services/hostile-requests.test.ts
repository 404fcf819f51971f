import { afterAll, beforeAll, it } from 'vitest';
import { fuzzSize } from '../support/fuzz/fuzz-size.ts';
import { expectToBear, type FuzzedServer, startFuzzedServer } from '../support/fuzz/fuzzed-server.ts';

const requests = fuzzSize.toAnybody;
/** Others than those that the embedded database is sent. */
const seed = fuzzSize.seed + 1;

let fuzzed: FuzzedServer;
beforeAll(async () => {
  fuzzed = await startFuzzedServer();
});
afterAll(() => fuzzed?.close());

it(
  `a server on PostgreSQL answers ${requests} requests of seed ${seed} to every route in its own shapes, gives nothing away, and stays as it is`,
  {
    timeout: 60_000 + requests * 30,
  },
  () => expectToBear(fuzzed, seed, requests),
);
