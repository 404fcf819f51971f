/**
 * Runs jobs at most `limit` at a time, results in the order of the jobs. Once one has failed, the others are of no use:
 * the signal that each was given aborts, and no further one starts.
 * @param signal of the caller; passed on
 */
export async function bounded<T>(
  limit: number,
  jobs: readonly ((signal: AbortSignal) => Promise<T>)[],
  signal?: AbortSignal,
): Promise<T[]> {
  const results: T[] = [];
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let next = 0;
  const worker = async () => {
    while (next < jobs.length && !stop.signal.aborted) {
      const index = next++;
      const job = jobs[index];
      if (job === undefined) return;
      try {
        results[index] = await job(both);
      } catch (error) {
        stop.abort();
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, jobs.length) }, worker));
  return results;
}
