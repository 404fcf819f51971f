/** What a float32 misses of a number at most, as a share of it. */
export const halfBit = 2 ** -24;
