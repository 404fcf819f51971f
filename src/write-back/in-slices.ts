/** So long may a slice take before other work of the process gets its turn. */
const sliceMs = 4;

/** Maps items one after the other, and lets other work of the process have its turn in between. */
export async function inSlices<Item, Result>(items: readonly Item[], map: (item: Item) => Result): Promise<Result[]> {
  const results: Result[] = [];
  let sliceStarted = performance.now();
  for (const item of items) {
    results.push(map(item));
    if (performance.now() - sliceStarted < sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceStarted = performance.now();
  }
  return results;
}
