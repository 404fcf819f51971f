import type { ModelSession, SessionRequest } from '../model-session.ts';
import { openProcess, type ProcessLimits } from './process-channel.ts';
import { createSessionClient, type SessionClient } from './session-client.ts';
import { openThread } from './thread-channel.ts';

/** A session that runs apart from this thread. */
export interface ApartSession extends ModelSession {
  /** Gives it up with whatever runs it: calls under way fail with ENGINE_UNAVAILABLE and the reason. */
  abandon(reason: string): void;
}

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

/** Opening a model that was tried takes no longer, in milliseconds; a driver that hangs would hold up everything. */
const openTimeoutMs = 120_000;
/** How long a host that closes waits for what was given up, in milliseconds: a thread cannot be ended, only awaited. */
const abandonedGraceMs = 10_000;

function createHost(start: (request: SessionRequest) => SessionClient): ApartHost {
  const clients = new Set<SessionClient>();
  const abandoned = new Set<Promise<void>>();
  return {
    async open(request) {
      const client = start(request);
      clients.add(client);
      const forget = (): void => {
        clients.delete(client);
      };
      const timer = setTimeout(
        () => void client.abandon(`did not open the model within ${openTimeoutMs} ms`),
        openTimeoutMs,
      );
      try {
        const session = await client.open(request);
        return {
          ...session,
          abandon(reason) {
            forget();
            const ended = session.abandon(reason);
            abandoned.add(ended);
            ended.then(() => abandoned.delete(ended));
          },
          async release() {
            try {
              await session.release();
            } catch (error) {
              // What is gone has nothing to release.
              if (!client.isGone) throw error;
            } finally {
              forget();
              await client.close();
            }
          },
        };
      } catch (error) {
        forget();
        await client.close();
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      await Promise.all([...clients].map((client) => client.close()));
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, abandonedGraceMs);
      });
      await Promise.race([Promise.all(abandoned), patience]);
      clearTimeout(timer);
    },
  };
}
