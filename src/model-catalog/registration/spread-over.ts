/** At most so many of a list, from its first to its last with even steps between. */
export function spreadOver<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  if (most === 1) return list.slice(0, 1);
  return Array.from({ length: most }, (_, index) => Math.round((index * (list.length - 1)) / (most - 1))).flatMap(
    (at) => list.slice(at, at + 1),
  );
}
