import { openText, sealText, type TextPlace } from '../../platform/sealed-text.ts';
import type { ValuesCipher } from '../../platform/values-cipher.ts';

/** What is kept of a request while it waits. It holds resources of the caller: never in the clear. */
export function sealRequest(request: string, jobKey: string, cipher: ValuesCipher): string {
  return sealText(request, placeOf(jobKey), cipher);
}

/** The request again. Throws what `ValuesCipher.open` throws. */
export function openRequest(kept: string, jobKey: string, cipher: ValuesCipher): string {
  return openText(kept, placeOf(jobKey), cipher);
}

function placeOf(jobKey: string): TextPlace {
  return { table: 'operation_jobs', column: 'request', row: [jobKey] };
}
