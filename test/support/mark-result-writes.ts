/**
 * Loaded into a server before everything else (`node --import`), as mark-statements.ts: `«begin»`, `«commit»` and
 * `«rollback»` stand for themselves, `«w»` for a statement that writes a result, `«claim»` for one that takes a batch
 * for a sink and `«settle»` for one that writes down what became of it, `«s»` for every other one.
 */
import { writeSync } from 'node:fs';
import pg from 'pg';

const writesResult = /\b(insert into|update) (outcomes|resources|resource_versions)\b|pg_advisory_xact_lock\(key\)/i;

function markOf(text: string): string {
  if (['begin', 'commit', 'rollback'].includes(text)) return text;
  if (writesResult.test(text)) return 'w';
  if (/\bset (state = 'sending', claimed = wanted|lease_until = .*, unsure = true)/.test(text)) return 'claim';
  return text.trimStart().startsWith('with settled as') ? 'settle' : 's';
}

const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
pg.Client.prototype.query = function marked(this: pg.Client, ...args: unknown[]) {
  const [first] = args;
  const text = typeof first === 'string' ? first : undefined;
  if (text !== undefined) {
    writeSync(2, `«${markOf(text)}»`);
  }
  return query.apply(this, args);
} as typeof pg.Client.prototype.query;
