import type { Clock } from '../../platform/clock.ts';
import type { Database, Sql } from '../../platform/database.ts';
import type { ResourceValidator } from '../validate-resource.ts';

export interface SqlRepositoryOptions {
  readonly database: Database;
  readonly tenant: string;
  /** Absolute FHIR base of this server, without a trailing slash. */
  readonly baseUrl: string;
  readonly clock: Clock;
  /** Makes a new logical id: unique, and a valid FHIR id. */
  readonly newId: () => string;
  /** IANA name of the site's time zone: a date without a time is a day there. */
  readonly timeZone: string;
  /** Checks what is written; bulk loads are not checked. */
  readonly validator: ResourceValidator;
}

/** What the functions of the store work with: the options, and the connection or transaction they run on. */
export interface StoreContext extends Omit<SqlRepositoryOptions, 'database'> {
  readonly sql: Sql;
  /** Runs `work` in a transaction: the one that is open, or a new one. */
  inTransaction<T>(work: (context: StoreContext) => Promise<T>): Promise<T>;
}

/** A context outside any transaction. */
export function storeContext({ database, ...options }: SqlRepositoryOptions): StoreContext {
  return {
    ...options,
    sql: database,
    inTransaction: (work) => database.transaction((sql) => work(transactionContext(options, sql))),
  };
}

function transactionContext(options: Omit<SqlRepositoryOptions, 'database'>, sql: Sql): StoreContext {
  const context: StoreContext = { ...options, sql, inTransaction: (work) => work(context) };
  return context;
}
