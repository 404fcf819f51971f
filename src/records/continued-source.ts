import type { Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import type { BegunSearch, RecordSource } from './record-source.ts';

/**
 * A source of which a caller holds the first pages of some searches: these go on where the page says. Where that leads away from the
 * source, or a page cannot be had (it is no longer kept, say), the whole search is asked anew: a part is never an answer.
 * @param begun by the key of the query
 */
export function continuedSource(source: RecordSource, begun: ReadonlyMap<string, BegunSearch>): RecordSource {
  const { searchOn } = source;
  if (searchOn === undefined || begun.size === 0) return source;
  return {
    ...source,
    search: async function* (query, subjectId, signal) {
      const search = begun.get(query.key);
      const rest = search && (await collected(searchOn(search, query, signal), signal));
      if (search === undefined || rest === undefined) yield* source.search(query, subjectId, signal);
      else yield [...search.rows, ...rest];
    },
  };
}

/** Undefined where not all of it could be had, and the source may still be asked something. */
async function collected(
  pages: AsyncIterable<Resource[]>,
  signal: AbortSignal | undefined,
): Promise<Resource[] | undefined> {
  const rows: Resource[] = [];
  try {
    for await (const page of pages) rows.push(...page);
    return rows;
  } catch (error) {
    const mayAsk = error instanceof PredictionError && error.code === 'RECORD_UNREACHABLE' && signal?.aborted !== true;
    if (mayAsk) return undefined;
    throw error;
  }
}
