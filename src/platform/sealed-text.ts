import type { ValuesCipher } from './values-cipher.ts';

/** Where a sealed text stands: it opens in no other table, column or row. */
export interface TextPlace {
  readonly table: string;
  readonly column: string;
  /** The primary key of the row, as text. */
  readonly row: readonly string[];
}

/** A text of the database that a person may have written, as it lies there: sealed, or in the clear if it is older than the sealing. */
export type KeptText = string;

const form = /^sealed ([a-z0-9-]{1,32}) ([A-Za-z0-9+/]{16}) ([A-Za-z0-9+/]+={0,2})$/;

/** The same as `form`, for a statement that looks for what is not sealed. */
export const sealedTextPattern = '^sealed [a-z0-9-]{1,32} [A-Za-z0-9+/]{16} [A-Za-z0-9+/]+={0,2}$';

/** The text under AES-256-GCM with the current key, for this place alone: `sealed`, the id of the key, nonce and text in base64. */
export function sealText(text: string, place: TextPlace, cipher: ValuesCipher): KeptText {
  const { key, nonce, sealed } = cipher.seal(text, nameOf(place));
  return ['sealed', key, nonce.toString('base64'), sealed.toString('base64')].join(' ');
}

/** The text again. Throws what `ValuesCipher.open` throws. */
export function openText(kept: KeptText, place: TextPlace, cipher: ValuesCipher): string {
  const [, key, nonce, sealed] = form.exec(kept) ?? [];
  if (key === undefined || nonce === undefined || sealed === undefined) return kept;
  return cipher.open(
    { key, nonce: Buffer.from(nonce, 'base64'), sealed: Buffer.from(sealed, 'base64') },
    nameOf(place),
  );
}

/** A text, or the id of the key that it is sealed with, which is not at hand. */
export type OpenedText =
  | { readonly text: string; readonly sealedWith?: never }
  | { readonly sealedWith: string; readonly text?: never };

/** The text, or the id of the key that it is sealed with. Throws INTERNAL where it was changed or moved. */
export function openTextIfHeld(kept: KeptText, place: TextPlace, cipher: ValuesCipher | undefined): OpenedText {
  const [, key] = form.exec(kept) ?? [];
  if (key === undefined) return { text: kept };
  if (cipher === undefined || !cipher.holds(key)) return { sealedWith: key };
  return { text: openText(kept, place, cipher) };
}

/** JSON, so that no two places have one name, whatever stands in the row. */
function nameOf({ table, column, row }: TextPlace): string {
  return JSON.stringify([table, column, ...row]);
}
