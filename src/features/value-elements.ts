const prefix = 'value';

/** Whether a key names a choice of `value[x]`. Told without a pattern: it is asked of every key of every answer. */
function isValueElement(key: string, from: number): boolean {
  const letter = key.charCodeAt(from + prefix.length);
  return letter >= 0x41 && letter <= 0x5a && key.startsWith(prefix, from);
}

/** Whether it has a value of any kind, or says why it has none of a kind (`_valueString`). */
export function isAnswered(holder: object): boolean {
  for (const key in holder) if (isValueElement(key, key.startsWith('_') ? 1 : 0)) return true;
  return false;
}

/** Whether it has values of more than one kind, which FHIR forbids. */
export function hasSeveralValues(holder: object): boolean {
  let values = 0;
  for (const key in holder) if (isValueElement(key, 0)) values++;
  return values > 1;
}
