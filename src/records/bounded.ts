/** Runs jobs at most `limit` at a time, results in the order of the jobs. Starts no further job once one has failed. */
export async function bounded<T>(limit: number, jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < jobs.length && !failed) {
      const index = next++;
      const job = jobs[index];
      if (job === undefined) return;
      try {
        results[index] = await job();
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, jobs.length) }, worker));
  return results;
}
