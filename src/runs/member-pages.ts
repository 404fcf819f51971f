import type { Sql } from '../platform/database.ts';
import type { MemberState, RunMember } from './run.ts';

export const memberSorts = ['subject', 'score', '-score'] as const;
/** By subject id, or by score with the members that have one first and the others by subject behind them. */
export type MemberSort = (typeof memberSorts)[number];

export interface MemberQuery {
  /** Absent: all. */
  readonly states?: readonly MemberState[];
  readonly sort: MemberSort;
}

/** Where a page ended: the score where it ended among members that have one, and the subject with its study. */
export interface MemberPageKey {
  readonly score?: number;
  readonly subject: string;
  readonly focus?: string;
}

interface Row {
  readonly ordinal: number;
  readonly subject_id: string;
  readonly focus: string;
  readonly state: MemberState;
  readonly outcome: string | null;
  readonly score: number | null;
  readonly band: string | null;
  readonly reasons: readonly string[];
  readonly error_code: string | null;
  readonly error: string | null;
  readonly result: string | null;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
}

const columns =
  'ordinal, subject_id, focus, state, outcome, score, band, reasons, error_code, error, result, resource_type, resource_id';

/** One page of a run's members, at most `count`, behind `after`. Cut by key: what changes meanwhile repeats nobody. */
export async function readMemberPage(
  sql: Sql,
  run: string,
  { states, sort }: MemberQuery,
  count: number,
  after?: MemberPageKey,
): Promise<RunMember[]> {
  if (sort === 'subject') return await readStretch(sql, run, states, count, { by: 'subject', after });
  const wantsScored = states === undefined || states.includes('scored');
  const amongScored = after === undefined || after.score !== undefined;
  const scored = wantsScored && amongScored ? await readStretch(sql, run, ['scored'], count, { by: sort, after }) : [];
  const rest = (states ?? (['pending', 'abstained', 'failed'] as const)).filter((state) => state !== 'scored');
  if (scored.length === count || rest.length === 0) return scored;
  const behind = amongScored ? undefined : after;
  const others = await readStretch(sql, run, rest, count - scored.length, { by: 'subject', after: behind });
  return [...scored, ...others];
}

/** The key of a page's last member. */
export function memberPageKey(member: RunMember, sort: MemberSort): MemberPageKey {
  const { subject, focus, score } = member;
  const named = { subject, ...(focus === undefined ? {} : { focus }) };
  return sort === 'subject' || score === undefined ? named : { ...named, score };
}

async function readStretch(
  sql: Sql,
  run: string,
  states: readonly MemberState[] | undefined,
  count: number,
  { by, after }: { readonly by: MemberSort; readonly after: MemberPageKey | undefined },
): Promise<RunMember[]> {
  const values: unknown[] = [run];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const conditions = ['run = $1'];
  if (states?.length === 1) conditions.push(`state = '${states[0]}'`);
  else if (states !== undefined) conditions.push(`state = any(${bind(states)})`);
  const direction = by === '-score' ? 'desc' : 'asc';
  if (after !== undefined) conditions.push(behind(by, after, bind));
  const order = by === 'subject' ? 'subject_id, focus' : `score ${direction}, ordinal ${direction}`;
  const { rows } = await sql.query<Row>(
    `select ${columns} from run_members where ${conditions.join(' and ')} order by ${order} limit ${bind(count)}`,
    values,
  );
  return rows.map(memberOf);
}

function behind(by: MemberSort, after: MemberPageKey, bind: (value: unknown) => string): string {
  const key = [bind(after.subject), bind(after.focus ?? '')].join(', ');
  if (by === 'subject') return `(subject_id, focus) > (${key})`;
  const ordinal = `(select ordinal from run_members known where known.run = $1 and (known.subject_id, known.focus) = (${key}))`;
  return `(score, ordinal) ${by === '-score' ? '<' : '>'} (${bind(after.score)}::float8, ${ordinal})`;
}

function memberOf(row: Row): RunMember {
  return {
    ordinal: row.ordinal,
    subject: row.subject_id,
    ...(row.focus === '' ? {} : { focus: row.focus }),
    state: row.state,
    reasons: row.reasons,
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.score === null ? {} : { score: row.score }),
    ...(row.band === null ? {} : { band: row.band }),
    ...(row.error_code === null ? {} : { error: { code: row.error_code, message: row.error ?? '' } }),
    ...(row.result === null ? {} : { result: row.result }),
    ...(row.resource_id === null ? {} : { resource: `${row.resource_type}/${row.resource_id}` }),
  };
}
