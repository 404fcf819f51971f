/**
 * Lets others have their turn of the event loop once `turnMs` have passed since the last one; costs next to nothing
 * before.
 */
export function giveWayAfter(turnMs: number): () => Promise<void> | undefined {
  let sinceMs = performance.now();
  return () => {
    if (performance.now() - sinceMs < turnMs) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        sinceMs = performance.now();
        resolve();
      }),
    );
  };
}
