import type { RequestHandler } from 'express';
import { PredictionError } from '../platform/errors.ts';
import { isLoopback } from '../platform/loopback.ts';

/**
 * Refuses what did not come by a loopback address or a socket of the file system (which has no address), with 403. Where nobody is asked who
 * they are, only this machine may ask: HOST is held to that at the start, but not the server of an app this one is mounted in.
 */
export const loopbackOnly: RequestHandler = (request, _response, next) => {
  const { localAddress } = request.socket;
  if (localAddress === undefined || isLoopback(localAddress)) return next();
  request.resume();
  throw new PredictionError(
    'HOST_REFUSED',
    'AUTH is none, so only this machine may ask, at a loopback address. Listen on 127.0.0.1, or set AUTH=required and ACCESS_FILE.',
  );
};
