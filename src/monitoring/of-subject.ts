import type { Sql } from '../platform/database.ts';
import type { ForgottenSubject } from './forget-subject.ts';

const types = { tenant: 'text', id: 'text', bases: 'text[]', references: 'text[]' } as const;

/** Runs a statement that names what it needs of a subject: `:tenant`, `:id`, `:bases`, `:references`. */
export function runFor<Row>(
  sql: Sql,
  subject: ForgottenSubject,
  statement: string,
): Promise<{ rows: Row[]; rowCount: number }> {
  const values: unknown[] = [];
  const text = statement.replace(/(?<!:):(tenant|id|bases|references)\b/g, (_, name: keyof typeof types) => {
    values.push(subject[name]);
    return `$${values.length}::${types[name]}`;
  });
  return sql.query<Row>(text, values);
}
