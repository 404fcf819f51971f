/**
 * Whole numbers from 0 up to but not including `below`, by sfc32 (Doty-Humphrey's PractRand): the same seed gives the same
 * numbers on every machine. Not for secrets.
 * @param seed whole number
 */
export function seededDraws(seed: number): (below: number) => number {
  let [a, b, c, counter] = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, 0x9e3779b9, 1];
  const next = (): number => {
    const drawn = (((a + b) >>> 0) + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = ((c << 21) | (c >>> 11)) >>> 0;
    c = (c + drawn) >>> 0;
    return drawn;
  };
  // The first numbers are near the seed.
  for (let step = 0; step < 15; step += 1) next();
  return (below) => Math.floor((next() / 2 ** 32) * below);
}
