import type { Sql } from '../platform/database.ts';
import type { FoundInVersions, StoreReading } from './find-in-versions.ts';
import type { ForgottenSubject } from './forget-subject.ts';
import { runFor } from './of-subject.ts';

/** What stays of a subject, and why. */
export interface Stay {
  readonly where: string;
  readonly rows: number;
  readonly because: string;
}

const ofSubject = 'tenant = :tenant and subject_id = :id and fhir_base = any(:bases)';

/** Counted after everything else is removed. */
const remains: readonly { readonly where: string; readonly because: string; readonly from: string }[] = [
  {
    where: 'prediction_log',
    because:
      'It is the account of what was predicted, kept for six months at least; it holds the id, scores and a hash, no value and no name.',
    from: `prediction_log where ${ofSubject}`,
  },
  {
    where: 'prediction_log (records of callers)',
    because:
      'A Patient of this id whose record only a caller held, who did not say of which server; if it is the same one, forget it too with --server urn:fhirsight:caller.',
    from: `prediction_log where tenant = :tenant and subject_id = :id and fhir_base = 'urn:fhirsight:caller'
      and fhir_base <> all(:bases)`,
  },
  {
    where: 'access_log',
    because: 'It is the account of who saw what, kept for six months at least; it holds the id.',
    from: `access_log where ${ofSubject}`,
  },
  {
    where: 'cds_feedback',
    because: 'They are counted in how a service is answered: outcome and code of the reason, and no word of anybody.',
    from: `cds_feedback where tenant = :tenant and card in (select card from prediction_log where ${ofSubject} and card is not null)`,
  },
  {
    where: 'resources (Group)',
    because: 'They are about others too: take the member out of them; their earlier versions hold it still.',
    from: "resources where tenant = :tenant and type = 'Group' and patients && :references",
  },
  {
    where: 'run_members',
    because: 'Of a run that is not done: cancel it or wait for its end, and forget again.',
    from: 'run_members m join runs r on r.id = m.run where r.tenant = :tenant and m.subject_id = :id and r.fhir_base = any(:bases)',
  },
];

export async function staysOf(
  sql: Sql,
  subject: ForgottenSubject,
  found: FoundInVersions,
  reading: Pick<StoreReading, 'searchOf'>,
): Promise<Stay[]> {
  const stays: Stay[] = [];
  for (const { where, because, from } of remains) {
    const { rows } = await runFor<{ rows: string }>(sql, subject, `select count(*)::text as rows from ${from}`);
    const found = Number(rows[0]?.rows);
    if (found > 0) stays.push({ where, rows: found, because });
  }
  for (const [type, rows] of found.mentions)
    stays.push({ where: `resource_versions (${type})`, rows, because: mentioned });
  const searches = await readSearches(sql, subject.tenant, reading);
  const words = new Set([subject.id, `Patient/${subject.id}`, ...found.knownBy].map((word) => word.toLowerCase()));
  const naming = searches.filter((search) => search !== 'sealed' && namesOneOf(search, words)).length;
  if (naming > 0) stays.push({ where: 'runs (searches)', rows: naming, because: searched });
  const sealed = searches.filter((search) => search === 'sealed').length;
  if (sealed > 0) stays.push({ where: 'runs (sealed searches)', rows: sealed, because: sealedElsewhere });
  return stays;
}

const mentioned =
  'They hold or name the patient, and are not about this patient alone: change or delete what should not; their earlier versions hold it still.';
const searched =
  'The search that made the cohort names the patient by an id, an identifier or a name; it is the account of what was run.';

const sealedElsewhere =
  'Their cohorts are sealed with a key that this server does not hold: whether a search among them names the patient is not known.';

async function readSearches(sql: Sql, tenant: string, { searchOf }: Pick<StoreReading, 'searchOf'>): Promise<string[]> {
  const { rows } = await sql.query<{ id: string; keptCohort: string }>(
    'select id, cohort as "keptCohort" from runs where tenant = $1',
    [tenant],
  );
  return rows.map(searchOf).filter((search) => search !== undefined);
}

/** Whether a search asks for the id of the subject, or for what it is known by. */
function namesOneOf(search: string, words: ReadonlySet<string>): boolean {
  const values = [...new URLSearchParams(search.split('?')[1] ?? '').values()].flatMap((value) => value.split(','));
  return values.some((value) =>
    [value, value.slice(value.lastIndexOf('|') + 1)].some((one) => words.has(one.toLowerCase())),
  );
}
