import type { Sql } from '../platform/database.ts';
import type { ErrorCode } from '../platform/errors.ts';
import type { PredictionOutcome } from '../prediction/prediction-outcome.ts';
import type { Entrance } from '../prediction/prediction-request.ts';
import type { PredictionRow } from './prediction-row.ts';

/** Rows that fulfil every condition that is given; within one condition any of its values will do. */
export interface PredictionLogQuery {
  readonly ids?: readonly string[];
  /** The subject by the bases that may name its server, and its logical id there. */
  readonly subjects?: readonly SubjectName[];
  readonly users?: readonly UserName[];
  /** Subjects and results of which any may be touched. */
  readonly touching?: { readonly subjects: readonly SubjectName[]; readonly written: readonly WrittenResult[] };
  /** Ranges of time, all of which must hold. */
  readonly recorded?: readonly { readonly from?: Date; readonly before?: Date }[];
  /** What came of it: no error, or an error out of (or outside) a list. */
  readonly outcomes?: readonly OutcomeCondition[];
  readonly entrances?: readonly Entrance[];
  readonly newestFirst: boolean;
  readonly count: number;
  /** The last row of the page before. */
  readonly after?: { readonly recorded: Date; readonly id: string };
}

/** A stored result, by its place in the own store. */
export interface WrittenResult {
  readonly type: PredictionOutcome['resultType'];
  readonly id: string;
}

export interface SubjectName {
  readonly bases: readonly string[];
  readonly id: string;
}

/** Who asked: by the server of the subject, whose user it is, or by a reference that needs no server. */
export interface UserName {
  readonly bases: readonly string[];
  /** `Practitioner/17` at one of the bases. */
  readonly reference?: string;
  /** The whole of what was given. */
  readonly absolute?: string;
}

export type OutcomeCondition =
  | { readonly failed: false }
  | { readonly failed: true; readonly codes: readonly ErrorCode[] }
  | { readonly failed: true; readonly notCodes: readonly ErrorCode[] };

export interface PredictionLogPage {
  readonly rows: readonly PredictionRow[];
  /** True where more rows fit the query. */
  readonly more: boolean;
}

/** Reads rows of one tenant by time, at most `count` of them; rows of the same millisecond by id. */
export async function readPredictionLog(
  sql: Sql,
  tenant: string,
  query: PredictionLogQuery,
): Promise<PredictionLogPage> {
  const values: unknown[] = [tenant];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const conditions = ['tenant = $1', ...conditionsOf(query, bind)];
  // Both orders run along the same index, forwards and backwards.
  const order = query.newestFirst ? 'recorded desc, id' : 'recorded, id desc';
  const limit = bind(query.count + 1);
  const { rows } = await sql.query<SqlRow>(
    `select * from prediction_log where ${conditions.join(' and ')}
     order by ${order} limit ${limit}`,
    values,
  );
  return { rows: rows.slice(0, query.count).map(toRow), more: rows.length > query.count };
}

/** Rows of one tenant behind a place in the order in which transactions ended, up to a horizon that lies behind all of them. */
export async function followPredictionLog(
  sql: Sql,
  tenant: string,
  place: LogPlace,
): Promise<Followed<PredictionRow>[]> {
  const { rows } = await sql.query<SqlRow & { readonly xact: string }>(
    `select * from prediction_log where tenant = $1 and xact is not null and ${behind} order by xact, id limit $5`,
    [tenant, place.xact, place.id, place.horizon, place.count],
  );
  return rows.map((row) => ({ xact: BigInt(row.xact), row: toRow(row) }));
}

/** Where whoever follows a log stands. */
export interface LogPlace {
  readonly xact: string;
  readonly id: string;
  /** No transaction before it is still open. */
  readonly horizon: string;
  readonly count: number;
}

export interface Followed<Row> {
  readonly xact: bigint;
  readonly row: Row;
}

/** $2 to $4: the place. */
export const behind = '(xact, id) > ($2::xid8, $3::uuid) and xact < $4::xid8';

type Bind = (value: unknown) => string;

function conditionsOf(query: PredictionLogQuery, bind: Bind): string[] {
  const { ids, subjects, users, touching, recorded = [], outcomes, entrances, after, newestFirst } = query;
  const conditions: string[] = [];
  if (ids !== undefined) conditions.push(`id = any(${bind(ids)}::uuid[])`);
  if (subjects !== undefined) conditions.push(anyOf(subjects.map((subject) => subjectCondition(subject, bind))));
  if (users !== undefined) conditions.push(anyOf(users.flatMap((user) => userConditions(user, bind))));
  if (touching !== undefined) {
    const of = touching.subjects.map((subject) => subjectCondition(subject, bind));
    const written = touching.written.map(({ type, id }) => `(written = ${bind(id)} and result_type = ${bind(type)})`);
    conditions.push(anyOf([...of, ...written]));
  }
  for (const { from, before } of recorded) {
    if (from !== undefined) conditions.push(`recorded >= ${bind(from)}::timestamptz`);
    if (before !== undefined) conditions.push(`recorded < ${bind(before)}::timestamptz`);
  }
  if (outcomes !== undefined) conditions.push(anyOf(outcomes.map((outcome) => outcomeCondition(outcome, bind))));
  if (entrances !== undefined) conditions.push(`entrance = any(${bind(entrances)}::text[])`);
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

function userConditions({ bases, reference, absolute }: UserName, bind: Bind): string[] {
  return [
    ...(reference === undefined ? [] : [`(user_ref = ${bind(reference)} and fhir_base = any(${bind(bases)}::text[]))`]),
    ...(absolute === undefined ? [] : [`user_ref = ${bind(absolute)}`]),
  ];
}

function outcomeCondition(outcome: OutcomeCondition, bind: Bind): string {
  if (!outcome.failed) return 'error_code is null';
  return 'codes' in outcome
    ? `error_code = any(${bind(outcome.codes)}::text[])`
    : `error_code <> all(${bind(outcome.notCodes)}::text[])`;
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'false' : `(${conditions.join(' or ')})`;
}

const jsonColumns = ['scores', 'verdicts', 'input_references', 'missing', 'assumed'] as const;
type JsonColumn = (typeof jsonColumns)[number];

/** A row as the driver gives it: JSON as its text. */
type SqlRow = Omit<PredictionRow, JsonColumn> & Readonly<Record<JsonColumn, string | null>>;

function toRow(row: SqlRow): PredictionRow {
  const parsed = jsonColumns.map((column) => {
    const text = row[column];
    return [column, text === null ? null : JSON.parse(text)] as const;
  });
  return { ...row, ...(Object.fromEntries(parsed) as Pick<PredictionRow, JsonColumn>) };
}
