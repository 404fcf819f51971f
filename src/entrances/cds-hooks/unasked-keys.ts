import type { HookService } from './hook-service.ts';
import type { Prefetched } from './read-prefetch.ts';

/**
 * Which keys of a call are not asked of its FHIR server where they are needed, and why: one policy for each key. What the
 * client says has failed for a lasting reason is not tried again with the token of the same client (CDS-24); what the
 * manifest leaves to the client is never asked.
 */
export function unaskedKeys(
  { declared }: Pick<HookService, 'declared'>,
  { answers, failed }: Prefetched,
): ReadonlyMap<string, string> {
  const unasked = new Map<string, string>();
  for (const [key, { code, passes }] of failed) {
    if (!passes)
      unasked.set(key, `The client could not read it (${code}), and would not be answered otherwise when asked again.`);
  }
  for (const key of Object.keys(declared.prefetch ?? {})) {
    if (answers.has(key) || unasked.has(key)) continue;
    unasked.set(key, 'The model leaves it to the client to send it along.');
  }
  return unasked;
}
