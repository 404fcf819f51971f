import type { InputDefinition } from './input-schema.ts';

/** That each key of an input goes with what its value is. */
export function checkInput(
  { unit, plausible, whole, vocabulary }: InputDefinition,
  find: (path: string, message: string) => void,
): void {
  if (unit !== undefined && vocabulary !== undefined) find('/vocabulary', 'is for codes; a number in a unit has none');
  if (unit !== undefined && plausible === undefined) find('/plausible', 'is needed by a number: what may be true');
  if (unit === undefined && plausible !== undefined) find('/plausible', 'is for a number, which needs a unit');
  if (unit === undefined && whole !== undefined) find('/whole', 'is for a number, which needs a unit');
}
