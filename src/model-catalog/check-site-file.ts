import { splitToken } from '../fhir/codes.ts';
import { isUcumUnit, sameConversion, unitConversion } from '../fhir/ucum.ts';
import { reviewFault } from './card/check-card.ts';
import { pointerPart } from './finding.ts';
import type { SiteFileContent } from './site-file-schema.ts';

/**
 * Texts that are common for counts and temperatures and are, as UCUM, kelvin, gauss, tesla, coulomb and farad, which no
 * laboratory or ward measures: the only UCUM codes that a site may give another meaning.
 */
const lookalikes: ReadonlySet<string> = new Set(['K/uL', 'K/mm3', 'G/L', 'T/L', 'C', 'F']);

/** What the schema of a site file cannot say. */
export function checkSiteFile(
  { concepts, models = {} }: SiteFileContent,
  find: (path: string, message: string) => void,
): void {
  for (const [name, { codes = [], complete = [], units = {} }] of Object.entries(concepts)) {
    const systems = codes.map((code) => splitToken(code)[0]);
    complete.forEach((system, index) => {
      if (!systems.includes(system))
        find(`/concepts/${name}/complete/${index}`, `${system} is the system of none of the codes of ${name}`);
    });
    for (const [text, unit] of Object.entries(units)) {
      const path = `/concepts/${name}/units/${pointerPart(text)}`;
      if (!isUcumUnit(unit)) find(path, `is ${unit}, which is no UCUM code`);
      else if (isUcumUnit(text) && !lookalikes.has(text) && !isSameUnit(text, unit))
        find(
          path,
          `gives ${text}, itself a UCUM code, the meaning of ${unit}; only texts that are no UCUM may be read`,
        );
    }
  }
  for (const [name, { review }] of Object.entries(models)) {
    const fault = review && reviewFault(review);
    if (fault !== undefined) find(`/models/${pointerPart(name)}/review`, fault);
  }
}

function isSameUnit(one: string, other: string): boolean {
  const conversion = unitConversion(one, other);
  return !('refused' in conversion) && sameConversion(conversion, { factor: 1, offset: 0 });
}
