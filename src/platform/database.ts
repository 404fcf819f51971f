/**
 * What the rest of the house sees of the database: SQL in the PostgreSQL dialect, parameters by
 * position. `open-database.ts` opens an embedded PGlite or a PostgreSQL server behind it.
 */
export interface Sql {
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number }>;
}

export interface Database extends Sql {
  readonly kind: 'pglite' | 'postgresql';
  /** Runs `work` in one transaction on one connection; commits when it resolves, rolls back when it throws. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one transaction that only reads: all its statements see what was committed before the first of
   * them, and nothing later.
   */
  snapshot<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** The same database for work that can wait: whoever else wants a connection goes first. */
  readonly background: Database;
  close(): Promise<void>;
}
