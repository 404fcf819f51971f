import type { AddressDefinition } from './address-schema.ts';
import { compileKey, countryKey } from './lookup-key.ts';

type Find = (path: string, message: string) => void;

/** That an address feature is either a code with a vocabulary or a number by a table, and its texts can be met. */
export function checkAddress(definition: AddressDefinition, find: Find): void {
  const { part, unit, vocabulary, lookup, plausible, missing, key } = definition;
  if (lookup !== undefined && lookup.country === undefined && part !== 'country')
    find('/lookup/country', `is needed: the same ${part} is another place in another country`);
  for (const text of lookup?.country?.of ?? [])
    if (countryKey(text) !== text) find('/lookup/country/of', `'${text}' is never met: write it in upper case`);
  if (unit === undefined) {
    if (vocabulary === undefined || Object.keys(vocabulary).length === 0)
      find('/vocabulary', 'is needed by a code; a number needs unit and lookup');
    if (plausible !== undefined) find('/plausible', 'is for a number; a code has a vocabulary');
    if (missing !== undefined && missing !== 'abstain') find('/missing', 'imputes a number, but the feature is a code');
  } else {
    if (vocabulary !== undefined) find('/vocabulary', 'is for a code; a feature with a unit is a number');
    if (lookup === undefined) find('/lookup', 'is needed by a number: no part of an address is one');
    if (plausible === undefined) find('/plausible', 'is needed by a number');
  }
  const texts = Object.values(vocabulary ?? {}).flat();
  for (const text of new Set(texts.filter((each, index) => texts.indexOf(each) !== index)))
    find('/vocabulary', `${text} stands for two values`);
  if (lookup !== undefined) return;
  const keyOf = compileKey(key);
  for (const text of texts)
    if (keyOf(text) !== text) find('/vocabulary', `'${text}' is never met: write it as \`key\` makes it`);
}
