import cors from 'cors';
import type { RequestHandler } from 'express';

/** What a browser may send and read from a page of another origin; `Authorization` and `Content-Type` are all that CDS Hooks needs. */
const options = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
  allowedHeaders: ['Authorization', 'Content-Type', 'Accept', 'Prefer', 'If-Match', 'If-None-Match', 'If-None-Exist'],
  exposedHeaders: [
    'Content-Location',
    'ETag',
    'Location',
    'Last-Modified',
    'Retry-After',
    'X-Request-Id',
    'X-Progress',
  ],
  maxAge: 600,
  credentials: false,
} as const;

/** Where a page of another origin has business: the rest is for people of the house. */
export const corsPaths = ['/cds-services', '/fhir/R4'] as const;

/**
 * Lets pages of the listed origins call from a browser (CDS-68): a preflight is answered here, before anybody is asked who they
 * are, for a browser never sends a token with it. An origin that is not listed is told nothing.
 */
export function corsHandler(origins: readonly string[]): RequestHandler {
  const answer = cors({
    ...options,
    methods: [...options.methods],
    allowedHeaders: [...options.allowedHeaders],
    exposedHeaders: [...options.exposedHeaders],
    origin: [...origins],
  });
  return (request, response, next) => {
    // Any other OPTIONS is a method like others.
    const isPreflight = request.method === 'OPTIONS' && request.get('Access-Control-Request-Method') !== undefined;
    if (request.method === 'OPTIONS' && !isPreflight) next();
    else answer(request, response, next);
  };
}
