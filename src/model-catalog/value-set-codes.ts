import type { Finding } from './finding.ts';
import { tokenPattern } from './schema-terms.ts';
import type { ConceptSet, ExpandedConcept, ValueSetFile } from './value-set-schema.ts';

/** One code of a value set, and where its file names it (JSON Pointer). */
export interface ValueSetCode {
  readonly system: string;
  readonly code: string;
  readonly path: string;
}

type Find = (path: string, message: string) => void;

const remedy = 'it needs an expansion: have a terminology server expand it ($expand) and put what it answers here';

/**
 * The codes that a value set enumerates: those of its expansion if it has one, else of `compose`. What says which codes
 * it means only by a rule (a filter, another value set, a whole code system), or not all of them, is refused. Inactive
 * codes count, for old records hold them; abstract ones are groups and do not.
 */
export function valueSetCodes(file: string, valueSet: ValueSetFile, findings: Finding[]): ValueSetCode[] {
  const before = findings.length;
  const find: Find = (path, message) => {
    findings.push({ file, path, message });
  };
  findUnknownMeaning(valueSet, '', find);
  const { expansion, compose } = valueSet;
  const codes = expansion !== undefined ? expanded(expansion, find) : composed(compose, find);
  const pattern = new RegExp(tokenPattern);
  for (const { system, code, path } of codes) {
    if (!pattern.test(`${system}|${code}`))
      find(path, `${system} and ${code} make no system|code: neither may hold a | or a space`);
  }
  if (codes.length === 0 && findings.length === before) find('', 'holds no code');
  return codes;
}

/** What FHIR forbids to read without knowing it, wherever it stands. */
function findUnknownMeaning(node: unknown, path: string, find: Find): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, child] of Object.entries(node)) {
    const at = `${path}/${key}`;
    if (key === 'modifierExtension' || key === 'implicitRules')
      find(at, 'is not known here, and may change the meaning');
    else if (key === 'url' && typeof child === 'string' && incomplete.test(child))
      find(at, `says that the codes are not all there; ${remedy}`);
    else findUnknownMeaning(child, at, find);
  }
}

const incomplete = /\/valueset-(?:unclosed|toocostly)$/;

function expanded(expansion: NonNullable<ValueSetFile['expansion']>, find: Find): ValueSetCode[] {
  const { total, offset = 0, parameter = [], contains = [] } = expansion;
  const codes: ValueSetCode[] = [];
  let nodes = 0;
  const visit = (concepts: readonly ExpandedConcept[], path: string): void => {
    concepts.forEach(({ system, code, abstract, contains: below = [] }, index) => {
      const at = `${path}/${index}`;
      nodes += 1;
      if (abstract !== true) {
        if (system === undefined || code === undefined) find(at, 'needs a system and a code, or abstract true');
        else codes.push({ system, code, path: `${at}/code` });
      }
      visit(below, `${at}/contains`);
    });
  };
  visit(contains, '/expansion/contains');
  if (offset !== 0) find('/expansion/offset', 'is one page of several; put all of them into one expansion');
  if (total !== undefined && nodes < total)
    find('/expansion/total', `is ${total}, but ${nodes} concepts are there; put all of them here`);
  parameter.forEach(({ name, valueBoolean }, index) => {
    if (name === 'limitedExpansion' && valueBoolean === true)
      find(`/expansion/parameter/${index}`, 'says that the expansion is limited: not all codes are there');
  });
  return codes;
}

function composed(compose: ValueSetFile['compose'], find: Find): ValueSetCode[] {
  if (compose === undefined) {
    find('', 'has neither an expansion nor a compose');
    return [];
  }
  if (compose.inactive === false) find('/compose/inactive', `leaves out inactive codes without naming them; ${remedy}`);
  const listed = (sets: readonly ConceptSet[], path: string): ValueSetCode[] =>
    sets.flatMap((set, index) => enumerated(set, `${path}/${index}`, find));
  const excluded = new Set(listed(compose.exclude ?? [], '/compose/exclude').map(keyOf));
  return listed(compose.include, '/compose/include').filter((code) => !excluded.has(keyOf(code)));
}

function enumerated({ system, concept, filter, valueSet }: ConceptSet, path: string, find: Find): ValueSetCode[] {
  if (filter !== undefined) find(`${path}/filter`, `names codes by a filter; ${remedy}`);
  if (valueSet !== undefined) find(`${path}/valueSet`, `names codes by another value set; ${remedy}`);
  if (filter !== undefined || valueSet !== undefined) return [];
  if (system === undefined) find(path, 'has no system');
  else if (concept === undefined) find(path, `means all of ${system} without naming its codes; ${remedy}`);
  else return concept.map(({ code }, index) => ({ system, code, path: `${path}/concept/${index}/code` }));
  return [];
}

function keyOf({ system, code }: ValueSetCode): string {
  return `${system}|${code}`;
}
