import type { FhirClient } from './fhir-client.ts';
import { type DeclaredServer, type ServerProfile, serverProfile } from './server-profile.ts';

/** The profile of a server; asked for with the signal of whoever waits for it. Throws RECORD_UNREACHABLE. */
export type ServerProfileReader = (signal?: AbortSignal) => Promise<ServerProfile>;

/**
 * Reads /metadata once, for everybody. What could not be read is read again when it is next asked for: a server that is
 * down at the start is not taken for one that can do nothing.
 */
export function keptServerProfile(client: FhirClient, declared: DeclaredServer): ServerProfileReader {
  if (declared.metadata === 'ignore') {
    const profile = serverProfile(declared);
    return async () => profile;
  }
  let reading: Promise<ServerProfile> | undefined;
  return async (signal) => {
    if (reading === undefined) {
      // Without the signal of the first who asks: others wait for the same answer.
      const asked = client.capabilities().then((statement) => serverProfile(declared, statement));
      reading = asked;
      asked.catch(() => {
        if (reading === asked) reading = undefined;
      });
    }
    return await unless(signal, reading);
  };
}

async function unless<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
