import type { Finding } from '../finding.ts';
import type { CodeUse } from './code-uses.ts';
import { loincCheckDigit } from './loinc-check-digit.ts';

/** Every LOINC code must have the form and the check digit of one: a slip of the pen finds no resource, silently. */
export function checkLoincCodes(uses: readonly CodeUse[]): Finding[] {
  return uses.flatMap(({ file, path, system, code }) => {
    if (system !== 'http://loinc.org') return [];
    const [, identifier, digit] = /^((?:L[A-Z])?\d{1,7})-(\d)$/.exec(code) ?? [];
    if (identifier === undefined) {
      const message = `${code} is no LOINC code: digits (after LA, LL, LP or LG for answers, lists, parts and groups), a hyphen and a check digit; look it up at loinc.org`;
      return [{ file, path, message }];
    }
    const right = loincCheckDigit(identifier);
    if (String(right) === digit) return [];
    const message = `${code} is no LOINC code: the check digit of ${identifier} is ${right}, not ${digit}; look it up at loinc.org`;
    return [{ file, path, message }];
  });
}
