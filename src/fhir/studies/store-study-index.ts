import { parseSearch } from '../store/parse-search.ts';
import { searchCondition } from '../store/search-condition.ts';
import type { SqlRepository } from '../store/sql-repository.ts';
import type { StudyIndex } from './study-index.ts';

/** Whole resources are read for a search; so few that parsing them holds up nobody. */
const resourcesAtOnce = 10;
const rowsAtOnce = 250;

/** The studies of the own store. */
export function storeStudyIndex(repository: SqlRepository, bases: readonly string[]): StudyIndex {
  return {
    bases,
    async read(id) {
      const found = await repository.readCurrent('ImagingStudy', id);
      return found?.resourceType === 'ImagingStudy' ? found : undefined;
    },
    checkSearch(parameters) {
      for (const filter of parseSearch('ImagingStudy', parameters).filters)
        searchCondition(repository.context, filter, () => '');
    },
    async *search(parameters, signal) {
      let page: string | undefined;
      do {
        signal?.throwIfAborted();
        const paging: (readonly [string, string])[] = [['_count', String(resourcesAtOnce)]];
        if (page !== undefined) paging.push(['_page', page]);
        const bundle = await repository.searchByQuery('ImagingStudy', [...parameters, ...paging]);
        yield (bundle.entry ?? []).flatMap(({ resource }) =>
          resource?.resourceType === 'ImagingStudy' ? [resource] : [],
        );
        const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
        page = next === undefined ? undefined : (new URL(next).searchParams.get('_page') ?? undefined);
      } while (page !== undefined);
    },
    async *list(parameters, signal) {
      const { sql, tenant } = repository.context;
      const { filters } = parseSearch('ImagingStudy', parameters);
      for (let after = ''; ; ) {
        signal?.throwIfAborted();
        const values: unknown[] = [tenant, after];
        const conditions = filters.map((filter) =>
          searchCondition(repository.context, filter, (value) => `$${values.push(value)}`),
        );
        const { rows } = await sql.query<{ id: string; version: number; last_updated: Date; subject: string | null }>(
          `select id, version, last_updated, patients[1] as subject from resources
           where ${["tenant = $1 and type = 'ImagingStudy' and not deleted and id > $2", ...conditions].join(' and ')}
           order by id limit ${rowsAtOnce}`,
          values,
        );
        yield rows.map(({ id, version, last_updated, subject }) => ({
          id,
          meta: { versionId: String(version), lastUpdated: last_updated.toISOString() },
          ...(subject === null ? {} : { subject: { reference: subject } }),
        }));
        const last = rows.at(-1);
        if (last === undefined || rows.length < rowsAtOnce) return;
        after = last.id;
      }
    },
  };
}
