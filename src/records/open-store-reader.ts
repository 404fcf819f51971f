import { SqlRepository } from '../fhir/store/sql-repository.ts';
import type { SqlRepositoryOptions, StoreContext } from '../fhir/store/store-context.ts';
import type { Sql } from '../platform/database.ts';
import type { StoreReader } from './store-record-source.ts';

/** The own FHIR store as a record is read from it, every statement on `sql`. */
export function openStoreReader(options: Omit<SqlRepositoryOptions, 'database'>, sql: Sql): StoreReader {
  const context: StoreContext = { ...options, sql, inTransaction: (work) => work(context) };
  return new SqlRepository(context);
}
