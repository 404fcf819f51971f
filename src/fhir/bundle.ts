import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';

/** A page of matches as a searchset. `total` is given only where it is exact. */
export function searchsetBundle(options: {
  readonly baseUrl: string;
  readonly self: string;
  readonly next?: string;
  readonly total?: number;
  readonly resources: readonly (Resource & { id: string })[];
}): Bundle {
  const { baseUrl, self, next, total, resources } = options;
  const entry = resources.map(
    (resource): BundleEntry => ({
      fullUrl: `${baseUrl}/${resource.resourceType}/${resource.id}`,
      resource,
      search: { mode: 'match' },
    }),
  );
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(total === undefined ? {} : { total }),
    link: [{ relation: 'self', url: self }, ...(next === undefined ? [] : [{ relation: 'next', url: next }])],
    ...(entry.length === 0 ? {} : { entry }),
  };
}

/** `base?name=value&…`, or the base alone where there is no parameter. */
export function urlWithQuery(base: string, query: Iterable<readonly [string, string]>): string {
  const text = new URLSearchParams([...query].map(([name, value]): [string, string] => [name, value])).toString();
  return text === '' ? base : `${base}?${text}`;
}
