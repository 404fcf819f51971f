import type { SessionRequest } from '../model-session.ts';
import { openProcess, type ProcessLimits } from './process-channel.ts';
import { type ApartSession, createSessionClient, type SessionClient } from './session-client.ts';
import { openThread } from './thread-channel.ts';

/** Where graphs run apart from this thread: each in a thread or process of its own. */
export interface ApartHost {
  open(request: SessionRequest): Promise<ApartSession>;
  /** Ends all that is open, once its runs have ended. */
  close(): Promise<void>;
}

/** A thread of its own for each graph. */
export function createThreadHost(): ApartHost {
  return createHost(() => createSessionClient(openThread));
}

/** A process of its own for each graph; the memory of those on a GPU is not limited. */
export function createProcessHost(limits: ProcessLimits): ApartHost {
  const { environment } = limits;
  return createHost(({ provider }) =>
    createSessionClient((listener) => openProcess(listener, provider === 'cpu' ? limits : { environment })),
  );
}

function createHost(start: (request: SessionRequest) => SessionClient): ApartHost {
  const clients = new Set<SessionClient>();
  return {
    async open(request) {
      const client = start(request);
      clients.add(client);
      const forget = (): void => {
        clients.delete(client);
      };
      try {
        const session = await client.open(request);
        return {
          ...session,
          abandon(reason) {
            forget();
            session.abandon(reason);
          },
          async release() {
            // What is gone has nothing to release.
            if (!client.isGone) await session.release();
            forget();
            await client.close();
          },
        };
      } catch (error) {
        forget();
        await client.close();
        throw error;
      }
    },
    async close() {
      await Promise.all([...clients].map((client) => client.close()));
    },
  };
}
