import { parseSearch } from '../store/parse-search.ts';
import { searchCondition } from '../store/search-condition.ts';
import type { SqlRepository } from '../store/sql-repository.ts';
import type { StudyIndex } from './study-index.ts';

/** Whole resources are read; so few that parsing them holds up nobody. */
const resourcesAtOnce = 50;

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
  };
}
