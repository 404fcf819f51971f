/**
 * Loaded into a server before everything else (`node --import`), as mark-statements.ts: `«begin»`, `«commit»` and
 * `«rollback»` stand for themselves, `«w»` for a statement that writes a result, `«s»` for every other one.
 */
import { writeSync } from 'node:fs';
import pg from 'pg';

const writesResult = /\b(insert into|update) (outcomes|resources|resource_versions)\b|pg_advisory_xact_lock\(key\)/i;

const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
pg.Client.prototype.query = function marked(this: pg.Client, ...args: unknown[]) {
  const [first] = args;
  const text = typeof first === 'string' ? first : undefined;
  if (text !== undefined) {
    const plain = writesResult.test(text) ? 'w' : 's';
    writeSync(2, `«${['begin', 'commit', 'rollback'].includes(text) ? text : plain}»`);
  }
  return query.apply(this, args);
} as typeof pg.Client.prototype.query;
