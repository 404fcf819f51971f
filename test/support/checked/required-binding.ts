import type { ValueSet, ValueSetComposeInclude } from '@medplum/fhirtypes';
import type { R4Definitions } from './r4-definitions.ts';

/** Says what is wrong with a code where only those of one value set are allowed; undefined where it is one of them. */
export type CodeCheck = (system: string | undefined, code: string) => string | undefined;

const mimeTypes = 'http://hl7.org/fhir/ValueSet/mimetypes';
/** Or what R4 lets a CapabilityStatement say for short. */
const mimeType = /^(xml|json|ttl|[\w.+-]+\/[\w.+-]+(; ?[\w.+-]+=[^;]+)*)$/;
/** Sets whose codes nobody can list: languages and their regions. What is checked is how they are written. */
const languages = ['http://hl7.org/fhir/ValueSet/all-languages', 'http://hl7.org/fhir/ValueSet/languages'];

interface Codes {
  /** `system|code`; a code without its system stands as `|code`. */
  readonly tokens: Set<string>;
  /** Code systems of which every code is allowed and which are not published with R4. */
  readonly whole: Set<string>;
}

/** Checks of codes, each made once. Throws RangeError for a value set that is not published with R4. */
export function createCodeChecks(definitions: R4Definitions): (valueSet: string) => CodeCheck {
  const made = new Map<string, CodeCheck>();
  return (canonical) => {
    const url = canonical.split('|')[0] ?? '';
    const check = made.get(url) ?? checkOf(url, definitions);
    made.set(url, check);
    return check;
  };
}

function checkOf(url: string, definitions: R4Definitions): CodeCheck {
  if (url === mimeTypes) return (_, code) => (mimeType.test(code) ? undefined : `${code} is no MIME type`);
  if (languages.includes(url))
    return (_, code) => (/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(code) ? undefined : `${code} is no language`);
  const { tokens, whole } = codesOf(url, definitions);
  return (system, code) => {
    if (tokens.has(`${system ?? ''}|${code}`) || (system === undefined ? whole.size > 0 : whole.has(system)))
      return undefined;
    return `${system === undefined ? code : `${system}|${code}`} is no code of ${url}`;
  };
}

function codesOf(url: string, definitions: R4Definitions): Codes {
  const set = definitions.valueSet(url);
  if (set === undefined) throw new RangeError(`${url} is not published with R4: its codes are not known`);
  const codes: Codes = { tokens: new Set(), whole: new Set() };
  for (const include of set.compose?.include ?? []) addIncluded(codes, include, definitions);
  for (const { system, concept = [] } of set.compose?.exclude ?? []) {
    for (const { code } of concept) codes.tokens.delete(`${system}|${code}`);
  }
  addExpanded(codes, set);
  return codes;
}

function addIncluded(codes: Codes, include: ValueSetComposeInclude, definitions: R4Definitions): void {
  for (const url of include.valueSet ?? []) {
    const { tokens, whole } = codesOf(url.split('|')[0] ?? '', definitions);
    for (const token of tokens) codes.tokens.add(token);
    for (const system of whole) codes.whole.add(system);
  }
  const { system, concept } = include;
  if (system === undefined) return;
  if (concept !== undefined) {
    for (const { code } of concept) add(codes, system, code ?? '');
    return;
  }
  const published = definitions.codeSystem(system)?.concept;
  if (published === undefined) codes.whole.add(system);
  else for (const { code } of flat(published)) add(codes, system, code ?? '');
}

function addExpanded(codes: Codes, { expansion }: ValueSet): void {
  for (const { system, code } of expansion?.contains ?? []) {
    if (system !== undefined && code !== undefined) add(codes, system, code);
  }
}

function add({ tokens }: Codes, system: string, code: string): void {
  tokens.add(`${system}|${code}`);
  tokens.add(`|${code}`);
}

interface Concept {
  readonly code?: string;
  readonly concept?: readonly Concept[];
}

function flat(concepts: readonly Concept[]): Concept[] {
  return concepts.flatMap((each) => [each, ...flat(each.concept ?? [])]);
}
