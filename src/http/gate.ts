import { type RequestHandler, Router } from 'express';
import { PredictionError } from '../platform/errors.ts';
import type { MountedRoute } from './server-app.ts';

/** Lets requests through only between start and close, and counts those under way. */
export interface Gate {
  readonly handler: RequestHandler;
  /** @param check says what is still missing each time readiness is asked for; nothing where all is well */
  open(routes: readonly MountedRoute[], check: () => Promise<readonly string[]>): void;
  /** What a start still waits for. */
  waitingFor(): Promise<readonly string[]>;
  inFlight(): number;
  /** Lets no more in; resolves when the last one is answered. @returns how many were left when the time was up */
  drain(timeoutMs: number): Promise<number>;
}

/**
 * @param paths what lies below them is kept behind the gate; everything else is let pass, also before it opens
 * @param refuse throws where nothing may be done now
 */
export function createGate(paths: readonly string[], refuse: () => void = () => undefined): Gate {
  let state: 'starting' | 'open' | 'closing' = 'starting';
  let router: RequestHandler | undefined;
  let check: () => Promise<readonly string[]> = async () => [];
  let underWay = 0;
  let emptied = (): void => undefined;

  return {
    handler: (request, response, next) => {
      if (!paths.some((path) => request.path === path || request.path.startsWith(`${path}/`))) return next();
      if (state === 'closing') {
        response.setHeader('Connection', 'close');
        throw new PredictionError(
          'SHUTTING_DOWN',
          'The server is shutting down and takes no new request. Try again later.',
        );
      }
      if (router === undefined)
        throw new PredictionError('STARTING', 'The server is starting and not ready yet. Try again in a few seconds.');
      refuse();
      // Whoever went away before this handler had its turn is not waited for: nothing tells of it a second time.
      if (!response.closed) {
        underWay += 1;
        response.once('close', () => {
          underWay -= 1;
          if (underWay === 0) emptied();
        });
      }
      return router(request, response, next);
    },
    open(routes, readiness) {
      const opened = Router();
      for (const { path, handler } of routes) opened.use(path, handler);
      router = opened;
      check = readiness;
      state = 'open';
    },
    async waitingFor() {
      return state === 'open' ? await check() : [state];
    },
    inFlight: () => underWay,
    async drain(timeoutMs) {
      state = 'closing';
      if (underWay === 0) return 0;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        emptied = resolve;
        timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
      return underWay;
    },
  };
}
