import type { Sql } from '../platform/database.ts';
import type { AccessRow } from './access-row.ts';
import {
  behind,
  type Followed,
  type LogPlace,
  type PredictionLogQuery,
  type SubjectName,
  type UserName,
} from './prediction-log.ts';

/** The conditions of a search of the prediction log that rows of the access log can fulfil too. */
export interface AccessLogQuery
  extends Pick<PredictionLogQuery, 'ids' | 'subjects' | 'users' | 'recorded' | 'newestFirst' | 'count' | 'after'> {
  /** Subjects and resources of which any may be touched. */
  readonly touching?: {
    readonly subjects: readonly SubjectName[];
    readonly resources: readonly { readonly type: string; readonly id: string }[];
    /** Bases that name resources of this server. */
    readonly own: readonly string[];
  };
  /** AuditEvent.outcome, as `outcomeOfStatus` has it. */
  readonly outcomes?: readonly AccessOutcome[];
  readonly actions?: readonly string[];
  readonly interactions?: readonly string[];
}

/** 0: done. 4: refused, or a mistake of the caller. 8: this server, or one it needs, could not. 12: a bug. */
export type AccessOutcome = '0' | '4' | '8' | '12';

/** AuditEvent.outcome of an answer of HTTP. */
export function outcomeOfStatus(status: number): AccessOutcome {
  if (status < 400) return '0';
  if (status < 500) return '4';
  return status === 500 ? '12' : '8';
}

const statuses: Readonly<Record<AccessOutcome, string>> = {
  '0': 'status < 400',
  '4': 'status between 400 and 499',
  '8': 'status > 500',
  '12': 'status = 500',
};

/** Reads rows of one tenant by time, at most `count` of them; rows of the same millisecond by id. */
export async function readAccessLog(
  sql: Sql,
  tenant: string,
  query: AccessLogQuery,
): Promise<{ readonly rows: readonly AccessRow[]; readonly more: boolean }> {
  const values: unknown[] = [tenant];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const conditions = ['tenant = $1', ...conditionsOf(query, bind)];
  const order = query.newestFirst ? 'recorded desc, id' : 'recorded, id desc';
  const limit = bind(query.count + 1);
  const { rows } = await sql.query<AccessRow>(
    `select * from access_log where ${conditions.join(' and ')} order by ${order} limit ${limit}`,
    values,
  );
  return { rows: rows.slice(0, query.count), more: rows.length > query.count };
}

/** As `followPredictionLog`. */
export async function followAccessLog(sql: Sql, tenant: string, place: LogPlace): Promise<Followed<AccessRow>[]> {
  const { rows } = await sql.query<AccessRow & { readonly xact: string }>(
    `select * from access_log where tenant = $1 and ${behind} order by xact, id limit $5`,
    [tenant, place.xact, place.id, place.horizon, place.count],
  );
  return rows.map((row) => ({ xact: BigInt(row.xact), row }));
}

type Bind = (value: unknown) => string;

function conditionsOf(query: AccessLogQuery, bind: Bind): string[] {
  const { ids, subjects, users, touching, recorded = [], outcomes, actions, interactions, after, newestFirst } = query;
  const conditions: string[] = [];
  if (ids !== undefined) conditions.push(`id = any(${bind(ids)}::uuid[])`);
  if (subjects !== undefined) conditions.push(anyOf(subjects.map((subject) => subjectCondition(subject, bind))));
  if (users !== undefined) conditions.push(anyOf(users.map((user) => userCondition(user, bind))));
  if (touching !== undefined) {
    const of = touching.subjects.map((subject) => subjectCondition(subject, bind));
    const named = touching.resources.map(
      ({ type, id }) =>
        `(resource_type = ${bind(type)} and resource_id = ${bind(id)} and fhir_base = any(${bind(touching.own)}::text[]))`,
    );
    conditions.push(anyOf([...of, ...named]));
  }
  for (const { from, before } of recorded) {
    if (from !== undefined) conditions.push(`recorded >= ${bind(from)}::timestamptz`);
    if (before !== undefined) conditions.push(`recorded < ${bind(before)}::timestamptz`);
  }
  if (outcomes !== undefined) conditions.push(anyOf(outcomes.map((outcome) => statuses[outcome])));
  if (actions !== undefined) conditions.push(`action = any(${bind(actions)}::text[])`);
  if (interactions !== undefined) conditions.push(`interaction = any(${bind(interactions)}::text[])`);
  if (after !== undefined) {
    const at = `${bind(after.recorded)}::timestamptz`;
    const [later, further] = newestFirst ? ['<', '>'] : ['>', '<'];
    conditions.push(`(recorded ${later} ${at} or (recorded = ${at} and id ${further} ${bind(after.id)}::uuid))`);
  }
  return conditions;
}

function subjectCondition({ bases, id }: SubjectName, bind: Bind): string {
  return `(subject_id = ${bind(id)} and fhir_base = any(${bind(bases)}::text[]))`;
}

/**
 * People of this server stand in the log as `Practitioner/17`, whichever server the row is about; all others by their absolute
 * URL, so that whoever has the same id elsewhere is not found.
 */
function userCondition({ reference, absolute }: UserName, bind: Bind): string {
  return `user_ref = ${bind(absolute ?? reference ?? null)}`;
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'false' : `(${conditions.join(' or ')})`;
}
