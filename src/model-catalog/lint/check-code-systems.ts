import type { Finding } from '../finding.ts';
import type { CodeUse } from './code-uses.ts';

/** Systems by the URLs that FHIR gives them, each with the OID that CDA uses where FHIR wants the URL. */
const knownSystems: readonly { readonly url: string; readonly oid?: string }[] = [
  { url: 'http://loinc.org', oid: '2.16.840.1.113883.6.1' },
  { url: 'http://snomed.info/sct', oid: '2.16.840.1.113883.6.96' },
  { url: 'http://www.nlm.nih.gov/research/umls/rxnorm', oid: '2.16.840.1.113883.6.88' },
  { url: 'http://hl7.org/fhir/sid/icd-10-cm', oid: '2.16.840.1.113883.6.90' },
  { url: 'http://hl7.org/fhir/sid/icd-10', oid: '2.16.840.1.113883.6.3' },
  { url: 'http://hl7.org/fhir/sid/icd-9-cm', oid: '2.16.840.1.113883.6.103' },
  { url: 'http://hl7.org/fhir/sid/ndc', oid: '2.16.840.1.113883.6.69' },
  { url: 'http://www.whocc.no/atc', oid: '2.16.840.1.113883.6.73' },
  { url: 'http://www.ama-assn.org/go/cpt', oid: '2.16.840.1.113883.6.12' },
];

/** Every system must be a URL or URN, and a known one must be written as FHIR writes it: codes are compared exactly. */
export function checkCodeSystems(uses: readonly CodeUse[]): Finding[] {
  return uses.flatMap(({ file, path, system }) => {
    const meant = knownSystems.find(
      ({ url, oid }) => bare(system) === bare(url) || (oid !== undefined && bare(system) === oid),
    );
    if (meant !== undefined) {
      if (meant.url === system) return [];
      return [{ file, path, message: `${system} is written ${meant.url} in FHIR, and systems are compared exactly` }];
    }
    if (/^urn:[a-z0-9-]+:./.test(system) || (/^https?:\/\//.test(system) && URL.canParse(system))) return [];
    const message = `${system} is no code system: write its FHIR URL (http://…) or URN (urn:oid:…)`;
    return [{ file, path, message }];
  });
}

/** What is left of a system without the parts that people get wrong. */
function bare(system: string): string {
  return system
    .toLowerCase()
    .replace(/^(?:urn:oid:|https?:\/\/)/, '')
    .replace(/^www\./, '')
    .replace(/\/+$/, '');
}
