import { parseSearch } from '../../fhir/store/parse-search.ts';
import { searchCondition } from '../../fhir/store/search-condition.ts';
import type { SqlRepository } from '../../fhir/store/sql-repository.ts';
import type { PatientIndex } from './open-cohort-source.ts';

const idsAtOnce = 250;
/** Whole resources are read for a search; so few that parsing them holds up nobody. */
const resourcesAtOnce = 50;

/** The patients of the own store. */
export function storePatientIndex(repository: SqlRepository, bases: readonly string[]): PatientIndex {
  const { sql, tenant } = repository.context;
  return {
    bases,
    readGroup: (id) => repository.readCurrent('Group', id),
    checkSearch: (parameters) => {
      for (const filter of parseSearch('Patient', parameters).filters)
        searchCondition(repository.context, filter, () => '');
    },
    async *allPatients(signal) {
      let after = '';
      while (true) {
        signal.throwIfAborted(); // a cohort that ends is a whole one
        const { rows } = await sql.query<{ id: string }>(
          `select id from resources where tenant = $1 and type = 'Patient' and not deleted and id > $2
           order by id limit ${idsAtOnce}`,
          [tenant, after],
        );
        if (rows.length > 0) yield rows.map(({ id }) => id);
        const last = rows.at(-1);
        if (last === undefined || rows.length < idsAtOnce) return;
        after = last.id;
      }
    },
    async *searchPatients(parameters, signal) {
      let page: string | undefined;
      do {
        signal.throwIfAborted();
        const paging: (readonly [string, string])[] = [['_count', String(resourcesAtOnce)]];
        if (page !== undefined) paging.push(['_page', page]);
        const bundle = await repository.searchByQuery('Patient', [...parameters, ...paging]);
        yield (bundle.entry ?? []).flatMap(({ resource }) => resource?.id ?? []);
        const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
        page = next === undefined ? undefined : (new URL(next).searchParams.get('_page') ?? undefined);
      } while (page !== undefined);
    },
  };
}
