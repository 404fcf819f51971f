import type { DemographicsDefinition } from './demographics-schema.ts';

/** That age has no vocabulary, everything else has one that says each code once, and what is for sex stands at sex. */
export function checkDemographics(
  definition: DemographicsDefinition,
  find: (path: string, message: string) => void,
): void {
  const { element, vocabulary = {}, saysNothing = [] } = definition;
  const isCoded = Object.keys(vocabulary).length > 0;
  if (element === 'age' && isCoded) find('/vocabulary', 'age has no vocabulary');
  if (element !== 'age' && !isCoded) find('/vocabulary', `${element} needs a vocabulary`);
  const lists = Object.values(vocabulary);
  const codes = lists.flat();
  for (const code of new Set(codes.filter((each, index) => codes.indexOf(each) !== index)))
    find('/vocabulary', `${code} stands for two values`);
  const empty = lists.filter(({ length }) => length === 0).length;
  if (empty > 1) find('/vocabulary', 'only one value may be the empty one, which stands for every other');
  if (empty > 0 && element === 'sex') find('/vocabulary', 'no value of sex may stand for every other');
  if (element !== 'sex')
    for (const key of ['from', 'disagree', 'saysNothing'] as const)
      if (definition[key] !== undefined) find(`/${key}`, `is for sex, not for ${element}`);
  for (const code of saysNothing.filter((each) => codes.includes(each)))
    find('/saysNothing', `${code} is in the vocabulary`);
}
