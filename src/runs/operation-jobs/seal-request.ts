import type { ValuesCipher } from '../../platform/values-cipher.ts';

const mark = 'sealed';

/** What is kept of a request while it waits: under the key of the kept values where one is set, else as it is. */
export function sealRequest(request: string, jobKey: string, cipher: ValuesCipher | undefined): string {
  if (cipher === undefined) return request;
  const { key, nonce, sealed } = cipher.seal(request, jobKey);
  return [mark, key, nonce.toString('base64'), sealed.toString('base64')].join(' ');
}

/** The request again. Throws what `ValuesCipher.open` throws, and where the key was taken away meanwhile. */
export function openRequest(kept: string, jobKey: string, cipher: ValuesCipher | undefined): string {
  const [first, key = '', nonce = '', sealed = ''] = kept.split(' ', 4);
  if (first !== mark) return kept;
  if (cipher === undefined) throw new Error('The request was sealed under a key that is set no longer.');
  return cipher.open({ key, nonce: Buffer.from(nonce, 'base64'), sealed: Buffer.from(sealed, 'base64') }, jobKey);
}
