import type { Resource } from '@medplum/fhirtypes';
import { insertNew } from './insert-new.ts';
import { stamped } from './stamped.ts';
import type { StoreContext } from './store-context.ts';

/**
 * Loads resources in bulk, all or none, each as version 1 under its own id (or a new one). What is there already
 * stays as it is. Not validated: for data this server made itself.
 * @returns how many were stored
 */
export async function writeAll(context: StoreContext, resources: readonly Resource[]): Promise<number> {
  const first = resources.map((given) => stamped(context, given, given.id ?? context.newId(), 1));
  return context.inTransaction(async (tx) => (await insertNew(tx, first)).size);
}
