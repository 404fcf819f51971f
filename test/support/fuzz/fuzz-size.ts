const all = Number(process.env.FUZZ_REQUESTS ?? 20_000);
const toCallers = Math.round(all * 0.3);

/**
 * FUZZ_REQUESTS and FUZZ_SEED say how many requests are sent, and which: the same in each build, others in a soak; every run
 * names its seed. Some go to a server that asks for tokens, all others to one that lets in anybody.
 */
export const fuzzSize = {
  toAnybody: all - toCallers,
  toCallers,
  seed: Number(process.env.FUZZ_SEED ?? (process.env.FUZZ_REQUESTS === undefined ? 11 : Date.now() % 2 ** 31)),
} as const;
