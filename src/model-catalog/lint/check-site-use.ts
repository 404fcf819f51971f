import { splitToken } from '../../fhir/codes.ts';
import { isCodeReference, measuredEntries } from '../code-lists.ts';
import type { FeatureMap, FeatureMapFile } from '../feature-map-schema.ts';
import { type Finding, pointerPart } from '../finding.ts';
import type { SiteFile } from '../read-site-file.ts';
import type { CodeUse } from './code-uses.ts';

/** Every code of a site file. */
export function codesOfSite({ file, concepts }: SiteFile): CodeUse[] {
  return Object.entries(concepts).flatMap(([name, { codes = [] }]) =>
    codes.map((token, index) => {
      const [system, code] = splitToken(token);
      return { file, path: `/concepts/${name}/codes/${index}`, system, code };
    }),
  );
}

const standardSystems: ReadonlySet<string> = new Set([
  'http://loinc.org',
  'http://snomed.info/sct',
  'http://www.nlm.nih.gov/research/umls/rxnorm',
  'http://hl7.org/fhir/sid/icd-10-cm',
  'http://hl7.org/fhir/sid/icd-10',
  'http://www.whocc.no/atc',
]);

/** Standard codes in a site file: they mean the same everywhere, so one that is missing is missing in the model. */
export function checkStandardCodes(site: SiteFile): Finding[] {
  return codesOfSite(site).flatMap(({ file, path, system, code }) => {
    if (!standardSystems.has(system)) return [];
    const message = `${system}|${code} is no local code: if it means the concept here, it does so everywhere; tell the author of the model`;
    return [{ file, path, message }];
  });
}

/** Concepts and unit texts of a site file that this model does not read as the site may expect. */
export function checkSiteUse(site: SiteFile, written: FeatureMapFile, map: FeatureMap): Finding[] {
  const findings: Finding[] = [];
  for (const [concept, { units = {} }] of Object.entries(site.concepts)) {
    const readers = Object.entries(written.features).filter(([, definition]) =>
      measuredEntries(definition).some(
        (entry) => isCodeReference(entry) && 'concept' in entry && entry.concept === concept,
      ),
    );
    for (const text of Object.keys(units)) {
      for (const [name] of readers) {
        const definition = map.features[name];
        const known = definition !== undefined && 'localUnits' in definition ? definition.localUnits : undefined;
        if (known === undefined || !Object.hasOwn((known as { units: object }).units, text))
          findings.push({
            file: site.file,
            path: `/concepts/${concept}/units/${pointerPart(text)}`,
            message: `is not read for ${name}, which has codes that are not of ${concept}, or is no number`,
          });
      }
    }
  }
  return findings;
}
