import type { Resource } from '@medplum/fhirtypes';
import { isMedicationType } from '../medication-types.ts';
import { canonicalReference, isFhirId } from '../reference.ts';
import { parseBody } from './read-resource.ts';
import type { Bind } from './search-condition.ts';
import type { StoreContext } from './store-context.ts';

/** A query of the prediction path. */
export interface ResourceQuery {
  readonly type: string;
  /** The patient: an id or a reference. */
  readonly patient?: string;
  /** The member of a Group: an id of a Patient or a reference. */
  readonly member?: string;
  /** `system|code` tokens, any of which matches; absent: all codes. */
  readonly codes?: readonly string[];
  /** Lower limit of the clinical date, inclusive. */
  readonly since?: Date;
}

/**
 * Every match, page by page, ordered by id.
 *
 * Two things are wider than a FHIR search, since what is not returned is taken for absent: a resource without a date
 * passes `since`, and a medication that is named by a reference passes `codes` unless a contained Medication says
 * that it is another.
 */
export async function* findResources(
  context: StoreContext,
  query: ResourceQuery,
  pageSize: number,
): AsyncGenerator<Resource[]> {
  let after = '';
  while (true) {
    const values: unknown[] = [];
    const conditions = matchConditions(context, query, (value) => `$${values.push(value)}`);
    const { rows } = await context.sql.query<{ id: string; body: string }>(
      `select id, body from resources where ${conditions.join(' and ')} and id > $${values.push(after)}
       order by id limit ${pageSize}`,
      values,
    );
    if (rows.length > 0) yield rows.map((row) => parseBody(row.body));
    const last = rows.at(-1);
    if (!last || rows.length < pageSize) return;
    after = last.id;
  }
}

function matchConditions(context: StoreContext, query: ResourceQuery, bind: Bind): string[] {
  const conditions = [`tenant = ${bind(context.tenant)}`, 'not deleted'];
  const subject = query.patient ?? query.member;
  if (subject !== undefined) {
    const reference = isFhirId(subject)
      ? `Patient/${subject}`
      : canonicalReference(subject, context.baseUrl, 'Patient');
    conditions.push(`patients && array[${bind(reference ?? subject)}]::text[]`);
  }
  conditions.push(matchesOneOf(query, bind, subject === undefined));
  return conditions;
}

/**
 * What a query says beside whose resources it means.
 * @param byCode true where an index on the codes may serve it. One patient's rows are few: there no index must, or the
 *   planner would read every patient's rows with these codes beside them, and a prediction would slow down with the
 *   size of the store
 */
export function matchesOneOf(query: ResourceQuery, bind: Bind, byCode = false): string {
  const conditions = [`type = ${bind(query.type)}`];
  if (query.codes) {
    const medication = isMedicationType(query.type);
    const tokens = medication ? [...query.codes, ...query.codes.map((code) => `#${code}`)] : query.codes;
    const matches = `${byCode ? 'codes' : "(codes || '{}'::text[])"} && ${bind(tokens)}::text[]`;
    conditions.push(medication ? `(${matches} or codes = '{}')` : matches);
  }
  if (query.since) conditions.push(`(date_end > ${bind(query.since)}::timestamptz or date_end is null)`);
  return conditions.join(' and ');
}
