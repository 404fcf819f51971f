/** True where a text may be a UID and stand in a path (DW-4). Components that are no numbers are left to those who know them. */
export function isDicomUid(text: string): boolean {
  return /^[0-9.]{1,64}$/.test(text) && !/^\.|\.\.|\.$/.test(text);
}

/** @throws RangeError where the text is no UID: a bug of whoever did not check what it read */
export function checkedUid(text: string): string {
  if (!isDicomUid(text)) throw new RangeError('Not a DICOM UID: 1 to 64 digits and dots.');
  return text;
}
