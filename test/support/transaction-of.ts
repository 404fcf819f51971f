import type { Bundle, Resource } from '@medplum/fhirtypes';

/**
 * A transaction that puts every resource under its own id.
 * @param options with `fullUrls`, references of the form `urn:uuid:` + id are rewritten by the server; without, they stay
 */
export function transactionOf(resources: readonly Resource[], options: { readonly fullUrls: boolean }): Bundle {
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: resources.map((resource) => ({
      ...(options.fullUrls ? { fullUrl: `urn:uuid:${resource.id}` } : {}),
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    })),
  };
}
