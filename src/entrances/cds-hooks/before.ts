/**
 * What comes before an instant on the clock of performance.now(), or undefined. What fails after it is left to whoever made
 * the promise.
 */
export async function before<T>(instantMs: number, coming: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, instantMs - performance.now()), undefined);
  });
  try {
    return await Promise.race([coming, late]);
  } finally {
    clearTimeout(timer);
  }
}
