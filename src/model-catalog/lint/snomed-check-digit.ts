/** The dihedral group of order 10, as Verhoeff's check digit uses it. */
const product: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
  [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
  [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
  [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
  [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
  [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
  [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
  [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
  [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];
const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/** Whether the last digit of a SNOMED CT identifier is its check digit (Verhoeff). @param identifier digits only */
export function hasSnomedCheckDigit(identifier: string): boolean {
  let check = 0;
  [...identifier].reverse().forEach((character, place) => {
    let digit = Number(character);
    for (let times = place % 8; times > 0; times--) digit = permutation[digit] ?? 0;
    check = product[check]?.[digit] ?? 0;
  });
  return check === 0;
}
