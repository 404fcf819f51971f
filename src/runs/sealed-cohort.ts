import type { Sql } from '../platform/database.ts';
import { PredictionError } from '../platform/errors.ts';
import { type KeptText, openTextIfHeld, sealedTextPattern, sealText, type TextPlace } from '../platform/sealed-text.ts';
import type { ValuesCipher } from '../platform/values-cipher.ts';
import type { Cohort, Run } from './run.ts';

/** In the place of a cohort: it is sealed with the key of this id, which this server does not hold. */
export interface SealedCohort {
  readonly sealedWith: string;
}

/** A search may hold names, birth dates and record numbers: no cohort lies in the database in the clear. */
export function sealCohort(cohort: Cohort, run: string, cipher: ValuesCipher): KeptText {
  return sealText(JSON.stringify(cohort), placeOf(run), cipher);
}

/** Throws INTERNAL where it was changed, or is of another run. */
export function shownCohort(
  { id, keptCohort }: Pick<Run, 'id' | 'keptCohort'>,
  cipher: ValuesCipher,
): Cohort | SealedCohort {
  const opened = openTextIfHeld(keptCohort, placeOf(id), cipher);
  return opened.text === undefined ? opened : (JSON.parse(opened.text) as Cohort);
}

/** The cohort, for those who cannot go on without it. Throws also CONFIG_INVALID where its key is not here. */
export function openCohort(run: Pick<Run, 'id' | 'keptCohort'>, cipher: ValuesCipher): Cohort {
  const cohort = shownCohort(run, cipher);
  if (!('sealedWith' in cohort)) return cohort;
  throw new PredictionError(
    'CONFIG_INVALID',
    `The cohort of this run is sealed with the key '${cohort.sealedWith}', which this server does not hold. Put that key behind the ` +
      'current one in VALUES_KEY_FILE, the same at every server of the database, and resume the run; or make a new run.',
  );
}

/** What made the cohort, if a search did; `sealed` where that cannot be told. */
export function searchOf(run: Pick<Run, 'id' | 'keptCohort'>, cipher: ValuesCipher): string | undefined {
  const cohort = shownCohort(run, cipher);
  if ('sealedWith' in cohort) return 'sealed';
  return 'search' in cohort ? cohort.search : undefined;
}

/** Seals what older releases have kept in the clear. @returns how many cohorts */
export async function sealClearCohorts(sql: Sql, tenant: string, cipher: ValuesCipher): Promise<number> {
  const { rows } = await sql.query<{ id: string; cohort: string }>(
    'select id, cohort from runs where tenant = $1 and cohort !~ $2',
    [tenant, sealedTextPattern],
  );
  for (const { id, cohort } of rows) {
    const sealed = sealText(cohort, placeOf(id), cipher);
    await sql.query('update runs set cohort = $2 where id = $1 and cohort = $3', [id, sealed, cohort]);
  }
  return rows.length;
}

function placeOf(run: string): TextPlace {
  return { table: 'runs', column: 'cohort', row: [run] };
}
