/**
 * Loaded into a server before everything else (`node --import`): writes what the server sends to its database to
 * standard error, without a buffer, so that the marks of a killed process are all there. `«begin»`, `«commit»` and
 * `«rollback»` stand for themselves, `«s»` for every other statement.
 */
import { writeSync } from 'node:fs';
import pg from 'pg';

const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
pg.Client.prototype.query = function marked(this: pg.Client, ...args: unknown[]) {
  const [first] = args;
  const text = typeof first === 'string' ? first : undefined;
  if (text !== undefined) writeSync(2, `«${['begin', 'commit', 'rollback'].includes(text) ? text : 's'}»`);
  return query.apply(this, args);
} as typeof pg.Client.prototype.query;
