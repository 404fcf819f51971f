import type { Finding } from '../finding.ts';
import type { CodeUse } from './code-uses.ts';
import { hasSnomedCheckDigit } from './snomed-check-digit.ts';

/** Every SNOMED CT code must have the form and the check digit of one. */
export function checkSnomedCodes(uses: readonly CodeUse[]): Finding[] {
  return uses.flatMap(({ file, path, system, code }) => {
    if (system !== 'http://snomed.info/sct') return [];
    if (/^[1-9]\d{5,17}$/.test(code) && hasSnomedCheckDigit(code)) return [];
    const reason = /^\d+$/.test(code) ? 'its check digit does not fit' : 'it is 6 to 18 digits';
    const message = `${code} is no SNOMED CT identifier: ${reason}; look it up in a SNOMED CT browser`;
    return [{ file, path, message }];
  });
}
