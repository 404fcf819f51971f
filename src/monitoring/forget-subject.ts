import type { Database } from '../platform/database.ts';
import { findInVersions, type StoreReading } from './find-in-versions.ts';
import { type Stay, staysOf } from './forget-stays.ts';
import { runFor } from './of-subject.ts';

/** Whose data are to be removed. */
export interface ForgottenSubject {
  readonly tenant: string;
  /** Logical id of the Patient. */
  readonly id: string;
  /** Every base under which its server is known. */
  readonly bases: readonly string[];
  /** How resources of the own store refer to it: `Patient/17` where it lives here, absolute URLs where it lives elsewhere. */
  readonly references: readonly string[];
}

export interface Forgetting {
  /** Rows that were removed, or would be, by table; tables without any are left out. */
  readonly removed: Readonly<Record<string, number>>;
  readonly stays: readonly Stay[];
}

/** Thrown through the transaction of a dry run, so that it leaves nothing behind. */
class DryRun extends Error {}

/**
 * Removes what may be removed of one subject, all of it or nothing: itself, and what is about it now or was in an earlier
 * version, with the Provenance of those. A Group stays: it is about others too. Done again it finds nothing and changes nothing.
 * @param confirmed false: the same is done, counted and undone
 */
export async function forgetSubject(
  database: Database,
  subject: ForgottenSubject,
  reading: StoreReading,
  confirmed: boolean,
): Promise<Forgetting> {
  const found = await findInVersions(database, subject, reading);
  let forgetting: Forgetting | undefined;
  try {
    await database.transaction(async (sql) => {
      const removed: Record<string, number> = {};
      await sql.query(
        'create temporary table forgotten (type text collate "C" not null, id text collate "C" not null)',
      );
      await sql.query('insert into forgotten select * from unnest($1::text[], $2::text[])', [
        found.about.map(({ type }) => type),
        found.about.map(({ id }) => id),
      ]);
      for (const statement of gather) await runFor(sql, subject, statement);
      for (const [table, statement] of removals) {
        const { rowCount } = await runFor(sql, subject, statement);
        if (rowCount > 0) removed[table] = rowCount;
      }
      await sql.query('drop table forgotten');
      forgetting = { removed, stays: await staysOf(sql, subject, found, reading) };
      if (!confirmed) throw new DryRun();
    });
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
  }
  if (forgetting === undefined) throw new RangeError('a transaction that did nothing');
  return forgetting;
}

/** What is about the subject now, with what came in since the versions were looked through, and the Provenance of it all. */
const gather = [
  `insert into forgotten
   select type, id from resources
    where tenant = :tenant and type <> 'Group'
      and (patients && :references or (type = 'Patient' and id = :id and 'Patient/' || id = any(:references)))`,
  `insert into forgotten
   select r.type, r.id from forgotten f join resources r on r.patients && array[f.type || '/' || f.id]
    where r.tenant = :tenant and r.type = 'Provenance'
      and split_part(r.body->'target'->0->>'reference', '/_history/', 1) = f.type || '/' || f.id`,
  'analyze forgotten',
] as const;

const ofSubject = 'tenant = :tenant and subject_id = :id and fhir_base = any(:bases)';
const cards = `select card from prediction_log where ${ofSubject} and card is not null`;

/** In this order: what is found by another table goes first. */
const removals: readonly (readonly [table: string, statement: string])[] = [
  // Also those that wait: what they hold of the subject would be predicted about, and kept, after all else is gone.
  ['operation_jobs', `delete from operation_jobs where ${ofSubject}`],
  ['study_notices', `delete from study_notices where ${ofSubject}`],
  [
    'prediction_values',
    `delete from prediction_values where tenant = :tenant and prediction in (select id from prediction_log where ${ofSubject})`,
  ],
  [
    'cds_feedback (words)',
    `update cds_feedback set user_comment = null, reason_display = null
      where tenant = :tenant and (user_comment is not null or reason_display is not null) and card in (${cards})`,
  ],
  ['held_cards', `delete from held_cards where tenant = :tenant and card in (${cards})`],
  ['told_bands', `delete from told_bands where ${ofSubject}`],
  [
    'deliveries',
    `delete from deliveries where tenant = :tenant and (identifier in (select identifier from outcomes where ${ofSubject})
       or resource_type = 'DiagnosticReport' and resource_id in (select resource_id from outcomes where ${ofSubject}))`,
  ],
  [
    'run_members (names)',
    `update run_members m
        set subject_id = 'forgotten-' || ordinal, focus = '', result = null, resource_id = null, resource_type = null,
            error = case when error is null then null else 'The subject was forgotten.' end
       from runs r
      where r.id = m.run and r.tenant = :tenant and m.subject_id = :id and r.fhir_base = any(:bases)
        and m.state <> 'pending'`,
  ],
  ['report_reviews', `delete from report_reviews where ${ofSubject}`],
  ['outcomes', `delete from outcomes where ${ofSubject}`],
  [
    'resource_versions',
    'delete from resource_versions v using forgotten f where v.tenant = :tenant and v.type = f.type and v.id = f.id',
  ],
  [
    'resources',
    'delete from resources v using forgotten f where v.tenant = :tenant and v.type = f.type and v.id = f.id',
  ],
];
