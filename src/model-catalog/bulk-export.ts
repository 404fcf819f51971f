import type { Parameters } from '@medplum/fhirtypes';
import type { FeatureMap } from './feature-map-schema.ts';
import { neededTypes } from './needed-types.ts';
import { searchToken } from './prefetch-templates.ts';

/** What to ask of a Bulk Data export (HL7 Bulk Data Access IG 2.0) so that models can be run on its files. */
export interface BulkExport {
  readonly _type: string;
  /** One for each type that is narrowed by codes, as it stands before it is encoded for a URL. */
  readonly _typeFilter: readonly string[];
  /** Both as the query of a GET kick-off. */
  readonly query: string;
  /** Both as the body of a POST kick-off, for codes that a URL has no room for. */
  readonly parameters: Parameters;
}

/**
 * `_type` and `_typeFilter` for one or several models. Without dates, for a result without one must be seen; a server may
 * ignore `_typeFilter`, and gives more then, never less.
 */
export function bulkExport(maps: readonly FeatureMap[], optOutBy: readonly ('consent' | 'group')[]): BulkExport {
  const needed = neededTypes(maps, optOutBy);
  const types = needed.map(({ type }) => type).join(',');
  const filters = needed.flatMap(({ type, codes }) =>
    codes === undefined ? [] : [`${type}?code=${codes.map(searchToken).join(',')}`],
  );
  return {
    _type: types,
    _typeFilter: filters,
    query: [`_type=${types}`, ...filters.map((filter) => `_typeFilter=${encodeURIComponent(filter)}`)].join('&'),
    parameters: {
      resourceType: 'Parameters',
      parameter: [
        { name: '_type', valueString: types },
        ...filters.map((filter) => ({ name: '_typeFilter', valueString: filter })),
      ],
    },
  };
}
