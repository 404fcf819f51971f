import type { Bundle } from '@medplum/fhirtypes';
import type { NdjsonResource } from './ndjson-resources.ts';

/** Resources that are stored together or not at all. */
export interface Chunk {
  readonly transaction: Bundle;
  /** Of the first and the last of them. */
  readonly lines: readonly [number, number];
  readonly count: number;
}

const most = { resources: 200, bytes: 1_000_000 } as const;

/**
 * Transactions of at most 200 resources and a megabyte (a larger resource is one by itself), in their order: each resource
 * under its own id, in the place of what is stored there. A resource that is there twice begins a new one: R4 has each once.
 */
export async function* transactionsOf(resources: AsyncIterable<NdjsonResource>): AsyncGenerator<Chunk> {
  let held: NdjsonResource[] = [];
  let places = new Set<string>();
  let bytes = 0;
  for await (const each of resources) {
    const place = placeOf(each);
    if (held.length > 0 && (held.length === most.resources || bytes + each.bytes > most.bytes || places.has(place))) {
      yield chunkOf(held);
      [held, places, bytes] = [[], new Set(), 0];
    }
    held.push(each);
    places.add(place);
    bytes += each.bytes;
  }
  if (held.length > 0) yield chunkOf(held);
}

function chunkOf(held: readonly NdjsonResource[]): Chunk {
  return {
    transaction: {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: held.map((each) => ({ resource: each.resource, request: { method: 'PUT', url: placeOf(each) } })),
    },
    lines: [held[0]?.line ?? 0, held.at(-1)?.line ?? 0],
    count: held.length,
  };
}

function placeOf({ resource }: NdjsonResource): string {
  return `${resource.resourceType}/${resource.id}`;
}
