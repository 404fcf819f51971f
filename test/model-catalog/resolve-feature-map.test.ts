import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureMapFile } from '../../src/model-catalog/feature-map-schema.ts';
import type { Finding } from '../../src/model-catalog/finding.ts';
import { parseFeatureMap, parseValueSet } from '../../src/model-catalog/parse-model-json.ts';
import { prefetchTemplates } from '../../src/model-catalog/prefetch-templates.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { type ResolvedFeatureMap, resolveFeatureMap } from '../../src/model-catalog/resolve-feature-map.ts';
import type { SiteFileContent } from '../../src/model-catalog/site-file-schema.ts';
import { valueSetCodes } from '../../src/model-catalog/value-set-codes.ts';
import { noPopulation } from '../support/extract-one.ts';
import { siteOf } from '../support/site-file.ts';

const loinc = (code: string): string => `http://loinc.org|${code}`;

function measured(codes: unknown[], more: object = {}): object {
  return {
    kind: 'observation',
    label: 'Creatinine',
    unit: 'mg/dL',
    codes,
    window: 'P1Y',
    pick: 'latest',
    plausible: [0.1, 40],
    missing: 'abstain',
    ...more,
  };
}

function diagnosed(codes: unknown[]): object {
  return {
    kind: 'condition',
    label: 'Diabetes',
    codes,
    when: 'ever',
    absent: { assume: false, encounterWithin: 'P1Y' },
  };
}

const creatinine = { creatinine: { display: 'Creatinine', codes: [loinc('2160-0')] } };

function fileOf(features: object, concepts?: object): FeatureMapFile {
  const findings: Finding[] = [];
  const json = { language: 1, features, population: noPopulation, ...(concepts && { concepts }) };
  const file = parseFeatureMap('feature-map.json', Buffer.from(JSON.stringify(json)), findings);
  if (file === undefined) throw new Error(JSON.stringify(findings));
  return file;
}

function resolved(
  features: object,
  options: { concepts?: object; valueSets?: Record<string, string[]>; site?: SiteFileContent } = {},
): ResolvedFeatureMap {
  const { concepts, valueSets = {}, site } = options;
  return resolveFeatureMap(
    fileOf(features, concepts),
    new Map(Object.entries(valueSets)),
    site && { ...site, file: 'site.json' },
  );
}

function codesOf({ map, findings, siteFindings }: ResolvedFeatureMap, feature: string): unknown {
  expect([...findings, ...siteFindings]).toEqual([]);
  const definition = map?.features[feature];
  return definition !== undefined && 'codes' in definition ? definition.codes : undefined;
}

function said(findings: readonly Finding[]): string[] {
  return findings.map(({ file, path, message }) => `${file} ${path} ${message}`);
}

describe('a list of codes', () => {
  test('may name codes, value sets and concepts beside each other, each code once', () => {
    const made = resolved(
      { creatinine: measured([loinc('38483-4'), { valueSet: 'renal' }, { concept: 'creatinine' }]) },
      {
        concepts: { creatinine: { display: 'Creatinine', codes: [loinc('2160-0'), { valueSet: 'more' }] } },
        valueSets: { renal: [loinc('2160-0'), loinc('14682-9')], more: [loinc('38483-4'), loinc('77140-2')] },
      },
    );
    expect(codesOf(made, 'creatinine')).toEqual(['38483-4', '2160-0', '14682-9', '77140-2'].map(loinc));
  });

  test('is resolved wherever a feature has one: components, answers, classes, ingredients', () => {
    const made = resolved(
      {
        pressure: measured([loinc('8480-6')], {
          unit: 'mm[Hg]',
          component: { panels: [{ valueSet: 'panels' }], codes: [{ concept: 'systolic' }] },
          where: { encounter: { class: [{ concept: 'ambulatory' }] }, unknown: 'abstain' },
        }),
        smoking: {
          kind: 'answer',
          label: 'Smoking',
          codes: [loinc('72166-2')],
          yes: [{ valueSet: 'smokes' }],
          no: ['http://snomed.info/sct|266919005'],
          window: 'P1Y',
          pick: 'latest',
          missing: 'abstain',
        },
        statin: {
          kind: 'medication',
          label: 'Statin',
          codes: [{ valueSet: 'statins' }],
          ingredients: [{ valueSet: 'statins' }],
          status: ['active'],
          absent: { assume: false, encounterWithin: 'P1Y' },
        },
      },
      {
        concepts: {
          systolic: { display: 'Systolic pressure', codes: [loinc('8480-6')] },
          ambulatory: { display: 'Ambulatory', codes: ['urn:class|AMB'] },
        },
        valueSets: { panels: [loinc('85354-9')], smokes: ['http://snomed.info/sct|449868002'], statins: ['urn:rx|1'] },
      },
    );
    expect(made.map?.features.pressure).toMatchObject({
      component: { panels: [loinc('85354-9')], codes: [loinc('8480-6')] },
      where: { encounter: { class: ['urn:class|AMB'] } },
    });
    expect(made.map?.features.smoking).toMatchObject({ yes: ['http://snomed.info/sct|449868002'] });
    expect(made.map?.features.statin).toMatchObject({ codes: ['urn:rx|1'], ingredients: ['urn:rx|1'] });
    if (made.map !== undefined) expect(checkFeatureMap(made.map, [])).toEqual([]);
  });

  test('that names nothing stays the very same, with and without a site file that is empty', () => {
    const file = fileOf({ creatinine: measured([loinc('2160-0')]) });
    expect(resolveFeatureMap(file).map).toBe(file);
    const site = { ...siteOf({}), file: 'site.json' };
    expect(resolveFeatureMap(file, new Map(), site)).toEqual({
      map: file,
      site: undefined,
      findings: [],
      siteFindings: [],
    });
  });

  test('that names what is not there is refused by its place', () => {
    const { map, findings } = resolved(
      { creatinine: measured([{ valueSet: 'renal' }, { concept: 'creatinin' }]) },
      { concepts: { ...creatinine, urea: { display: 'Urea', codes: [{ valueSet: 'urea' }] } } },
    );
    expect(map).toBeUndefined();
    expect(said(findings)).toEqual([
      'feature-map.json /concepts/urea/codes/0 names the value set urea, but the folder has no valueSets/urea.json',
      'feature-map.json /features/creatinine/codes/0 names the value set renal, but the folder has no valueSets/renal.json',
      'feature-map.json /features/creatinine/codes/1 names the concept creatinin, which the map does not define',
    ]);
  });

  test('must not stay empty: a search without codes would find everything or nothing', () => {
    const concepts = { creatinine: { display: 'Creatinine', codes: [] } };
    const features = { creatinine: measured([{ concept: 'creatinine' }]) };
    expect(said(resolved(features, { concepts }).findings)).toEqual([
      'feature-map.json /features/creatinine/codes has no code: creatinine needs one, here or in a site file',
    ]);
    const site = siteOf({ creatinine: { codes: ['urn:local|CREA'] } });
    expect(codesOf(resolved(features, { concepts, site }), 'creatinine')).toEqual(['urn:local|CREA']);
  });

  test.each([
    [{ valueSet: 'a', concept: 'b' }, 'must NOT have more than 1 properties'],
    [{}, 'must NOT have fewer than 1 properties'],
    [{ conceptt: 'creatinine' }, 'must not have the key "conceptt"'],
    [{ valueSet: '../../etc/passwd' }, 'must match pattern'],
    ['2160-0', 'must match pattern'],
    [7, 'must be string,object'],
  ])('takes no entry of another form: %j', (entry, message) => {
    const findings: Finding[] = [];
    const json = { language: 1, features: { creatinine: measured([entry]) }, population: noPopulation };
    parseFeatureMap('feature-map.json', Buffer.from(JSON.stringify(json)), findings);
    expect(findings.map(({ path }) => path)).toEqual(
      findings.map(() => expect.stringContaining('/features/creatinine/codes/0')),
    );
    expect(findings.map((finding) => finding.message).join()).toContain(message);
  });
});

describe('a site file', () => {
  const features = { creatinine: measured([{ concept: 'creatinine' }]) };

  test('adds its codes to the concepts that features read, and takes none away', () => {
    const site = siteOf({ creatinine: { codes: ['urn:local|CREA'] }, potassium: { codes: ['urn:local|K'] } });
    const made = resolved(features, { concepts: creatinine, site });
    expect(codesOf(made, 'creatinine')).toEqual([loinc('2160-0'), 'urn:local|CREA']);
    expect(made.map?.concepts?.creatinine?.codes).toEqual([loinc('2160-0'), 'urn:local|CREA']);
    expect(made.site).toEqual({ id: 'st-elsewhere', version: '1', concepts: { creatinine: site.concepts.creatinine } });
  });

  test('changes no feature that names the same codes itself', () => {
    const plain = { creatinine: measured([loinc('2160-0')]) };
    const site = siteOf({ creatinine: { codes: ['urn:local|CREA'], units: { 'mgs/dl': 'mg/dL' } } });
    const made = resolved(plain, { site });
    expect(codesOf(made, 'creatinine')).toEqual([loinc('2160-0')]);
    expect(made.site).toBeUndefined();
  });

  test('reaches the FHIR searches and the prefetch templates by the same lists', () => {
    const site = siteOf({ creatinine: { codes: ['urn:local|CREA'] } });
    const { map } = resolved(features, { concepts: creatinine, site });
    if (map === undefined) throw new Error('not resolved');
    expect(recordQueries(map, new Date(0), [])[0]?.codes).toEqual([loinc('2160-0'), 'urn:local|CREA']);
    expect(prefetchTemplates(map, []).observations).toBe(
      'Observation?patient={{context.patientId}}&code=http://loinc.org|2160-0,urn:local|CREA',
    );
  });

  test('cannot give one local code two meanings that a map measures', () => {
    const two = {
      creatinine: measured([{ concept: 'creatinine' }]),
      urea: measured([{ concept: 'urea' }], { label: 'Urea' }),
    };
    const concepts = { ...creatinine, urea: { display: 'Urea', codes: [loinc('3094-0')] } };
    const both = siteOf({ creatinine: { codes: ['urn:local|X'] }, urea: { codes: ['urn:local|Y', 'urn:local|X'] } });
    expect(said(resolved(two, { concepts, site: both }).siteFindings)).toEqual([
      'site.json /concepts/creatinine/codes/0 urn:local|X is also a code of urea, which does not read creatinine: one local code cannot mean both',
      'site.json /concepts/urea/codes/1 urn:local|X is also a code of creatinine, which does not read urea: one local code cannot mean both',
    ]);
    const stolen = siteOf({ creatinine: { codes: [loinc('3094-0')] } });
    expect(said(resolved(two, { concepts, site: stolen }).siteFindings)).toEqual([
      `site.json /concepts/creatinine/codes/0 ${loinc('3094-0')} is also a code of urea, which does not read creatinine: one local code cannot mean both`,
    ]);
    // A map that reads one of them only has nothing to contradict.
    expect(resolved(features, { concepts, site: both }).siteFindings).toEqual([]);
  });

  test('cannot make unmapped local diagnoses read as other diagnoses, so that nothing found becomes no', () => {
    const diabetes = { diabetes: { display: 'Diabetes', codes: ['http://snomed.info/sct|44054006'] } };
    const map = { diabetes: diagnosed([{ concept: 'diabetes' }]) };
    const partly = siteOf({ diabetes: { codes: ['urn:local|DM2'] } });
    expect(said(resolved(map, { concepts: diabetes, site: partly }).siteFindings)).toEqual([
      'site.json /concepts/diabetes/codes/0 brings urn:local into diabetes, which reads an unlisted code of a known system as something else; list every code of urn:local that means diabetes, and say so: "complete": ["urn:local"]',
    ]);
    const whole = siteOf({ diabetes: { codes: ['urn:local|DM2'], complete: ['urn:local'] } });
    expect(codesOf(resolved(map, { concepts: diabetes, site: whole }), 'diabetes')).toEqual([
      'http://snomed.info/sct|44054006',
      'urn:local|DM2',
    ]);
    const stroke = { stroke: { display: 'Stroke', codes: ['http://snomed.info/sct|230690007'] } };
    const either = { event: diagnosed([{ concept: 'diabetes' }, { concept: 'stroke' }]) };
    expect(said(resolved(either, { concepts: { ...diabetes, ...stroke }, site: whole }).siteFindings).join()).toContain(
      'list every code of urn:local that means stroke',
    );
    const mixed = { event: diagnosed([{ concept: 'diabetes' }, 'http://snomed.info/sct|230690007']) };
    expect(said(resolved(mixed, { concepts: diabetes, site: whole }).siteFindings).join()).toContain(
      'which also names codes outside its concepts',
    );
    const known = siteOf({ diabetes: { codes: ['http://snomed.info/sct|46635009'] } });
    expect(resolved(map, { concepts: diabetes, site: known }).siteFindings).toEqual([]);
  });

  test('cannot make unmapped local answers fall into the level of every other answer', () => {
    const smoking = {
      smoking: {
        kind: 'category',
        label: 'Smoking',
        codes: [{ concept: 'smokingStatus' }],
        levels: { smokes: [{ concept: 'currentSmoker' }], other: [] },
        unseen: 'other',
        window: 'P1Y',
        pick: 'latest',
        missing: 'abstain',
      },
    };
    const concepts = {
      smokingStatus: { display: 'Smoking status', codes: [loinc('72166-2')] },
      currentSmoker: { display: 'Smokes', codes: ['http://snomed.info/sct|449868002'] },
    };
    const question = { codes: ['urn:local|SMOKING'] };
    const answers = { codes: ['urn:answers|CURRENT'] };
    const partly = siteOf({ smokingStatus: question, currentSmoker: answers });
    expect(resolved(smoking, { concepts, site: partly }).siteFindings.map(({ path }) => path)).toEqual([
      '/concepts/currentSmoker/codes/0',
    ]);
    const whole = siteOf({ smokingStatus: question, currentSmoker: { ...answers, complete: ['urn:answers'] } });
    const made = resolved(smoking, { concepts, site: whole });
    expect(codesOf(made, 'smoking')).toEqual([loinc('72166-2'), 'urn:local|SMOKING']);
    expect(made.map?.features.smoking).toMatchObject({
      levels: { smokes: ['http://snomed.info/sct|449868002', 'urn:answers|CURRENT'], other: [] },
    });
  });

  test('gives its unit texts to the features of the concept alone', () => {
    const concepts = { ...creatinine, urea: { display: 'Urea', codes: [loinc('3094-0')] } };
    const three = {
      creatinine: measured([{ concept: 'creatinine' }]),
      urea: measured([{ concept: 'urea' }], { label: 'Urea' }),
      either: measured([{ concept: 'creatinine' }, loinc('77140-2')], { label: 'Either' }),
    };
    const site = siteOf({ creatinine: { units: { 'mgs/dl': 'mg/dL' } } }, '7');
    const { map, siteFindings } = resolved(three, { concepts, site });
    expect(siteFindings).toEqual([]);
    expect(map?.features.creatinine).toMatchObject({
      localUnits: { site: 'site file st-elsewhere version 7', units: { 'mgs/dl': 'mg/dL' } },
    });
    expect(map?.features.urea).not.toHaveProperty('localUnits');
    expect(map?.features.either).not.toHaveProperty('localUnits');
  });

  test('cannot read one unit text in two ways for a feature of two concepts', () => {
    const concepts = { ...creatinine, other: { display: 'Other', codes: [loinc('77140-2')] } };
    const map = { creatinine: measured([{ concept: 'creatinine' }, { concept: 'other' }]) };
    const site = siteOf({ creatinine: { units: { 'u/d': 'mg/dL' } }, other: { units: { 'u/d': 'umol/L' } } });
    expect(said(resolved(map, { concepts, site }).siteFindings)).toEqual([
      'site.json /concepts/other/units/u~1d is umol/L, but mg/dL for creatinine, and creatinine reads both',
    ]);
  });

  test('only ever adds: for any of its contents every code of the map is still there', () => {
    const token = fc
      .tuple(fc.constantFrom('urn:a', 'urn:b', 'http://loinc.org'), fc.constantFrom('1', '2', '2160-0'))
      .map((parts) => parts.join('|'));
    fc.assert(
      fc.property(fc.uniqueArray(token, { minLength: 1 }), fc.uniqueArray(token, { minLength: 1 }), (own, added) => {
        const concepts = { creatinine: { display: 'Creatinine', codes: own } };
        const { map } = resolved(features, { concepts, site: siteOf({ creatinine: { codes: added } }) });
        const codes = map?.features.creatinine as { codes?: string[] } | undefined;
        expect(codes?.codes?.slice(0, own.length)).toEqual(own);
        expect(new Set(codes?.codes)).toEqual(new Set([...own, ...added]));
      }),
      { numRuns: 200 },
    );
  });
});

describe('a value set', () => {
  const sct = 'http://snomed.info/sct';

  function read(valueSet: object): { codes: string[]; findings: string[] } {
    const findings: Finding[] = [];
    const bytes = Buffer.from(JSON.stringify({ resourceType: 'ValueSet', status: 'active', ...valueSet }));
    const parsed = parseValueSet('valueSets/x.json', bytes, findings);
    const codes = parsed === undefined ? [] : valueSetCodes('valueSets/x.json', parsed, findings);
    return {
      codes: codes.map(({ system, code }) => `${system}|${code}`),
      findings: findings.map(({ path, message }) => `${path} ${message}`),
    };
  }

  test('gives the codes of its expansion at every depth, inactive ones too, and no abstract group', () => {
    const contains = [
      {
        system: sct,
        code: '1',
        abstract: true,
        contains: [{ system: sct, code: '2', contains: [{ system: sct, code: '3', inactive: true }] }],
      },
      { abstract: true, display: 'A group', contains: [{ system: 'urn:x', code: 'y' }] },
    ];
    const compose = { include: [{ system: sct, filter: [{ property: 'concept', op: 'is-a', value: '1' }] }] };
    expect(read({ compose, expansion: { total: 5, contains } })).toEqual({
      codes: [`${sct}|2`, `${sct}|3`, 'urn:x|y'],
      findings: [],
    });
  });

  test('without an expansion gives the codes that compose names, less those it excludes', () => {
    const compose = {
      include: [
        { system: sct, version: '2026', concept: [{ code: '1' }, { code: '2' }] },
        { system: 'urn:x', concept: [{ code: '2' }] },
      ],
      exclude: [{ system: sct, concept: [{ code: '2' }] }],
    };
    expect(read({ compose })).toEqual({ codes: [`${sct}|1`, 'urn:x|2'], findings: [] });
  });

  test.each<[string, object, string]>([
    [
      'a filter',
      { compose: { include: [{ system: sct, filter: [{}] }] } },
      '/compose/include/0/filter names codes by a filter; it needs an expansion',
    ],
    [
      'another value set',
      { compose: { include: [{ valueSet: ['http://x'] }] } },
      '/compose/include/0/valueSet names codes by another value set; it needs an expansion',
    ],
    [
      'codes that must be in another value set too',
      { compose: { include: [{ system: sct, concept: [{ code: '1' }], valueSet: ['http://x'] }] } },
      '/compose/include/0/valueSet',
    ],
    [
      'a whole code system',
      { compose: { include: [{ system: sct }] } },
      `/compose/include/0 means all of ${sct} without naming its codes; it needs an expansion`,
    ],
    [
      'an exclusion by a filter',
      { compose: { include: [{ system: sct, concept: [{ code: '1' }] }], exclude: [{ system: sct, filter: [{}] }] } },
      '/compose/exclude/0/filter',
    ],
    [
      'inactive codes left out by a rule',
      { compose: { inactive: false, include: [{ system: sct, concept: [{ code: '1' }] }] } },
      '/compose/inactive leaves out inactive codes',
    ],
    ['nothing at all', {}, ' has neither an expansion nor a compose'],
    ['an empty expansion', { expansion: {} }, ' holds no code'],
    [
      'an expansion of which a part is here',
      { expansion: { total: 900, contains: [{ system: sct, code: '1' }] } },
      '/expansion/total is 900, but 1 concepts are there',
    ],
    [
      'a later page',
      { expansion: { offset: 100, contains: [{ system: sct, code: '1' }] } },
      '/expansion/offset is one page of several',
    ],
    [
      'a limited expansion',
      {
        expansion: {
          parameter: [{ name: 'limitedExpansion', valueBoolean: true }],
          contains: [{ system: sct, code: '1' }],
        },
      },
      '/expansion/parameter/0 says that the expansion is limited',
    ],
    [
      'an expansion that was too costly',
      {
        expansion: {
          extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-toocostly', valueBoolean: true }],
          contains: [{ system: sct, code: '1' }],
        },
      },
      'says that the codes are not all there',
    ],
    [
      'a code without a system',
      { expansion: { contains: [{ code: '1' }] } },
      '/expansion/contains/0 needs a system and a code, or abstract true',
    ],
    [
      'a modifier',
      { modifierExtension: [{ url: 'http://x' }], expansion: { contains: [{ system: sct, code: '1' }] } },
      '/modifierExtension is not known here',
    ],
    [
      'rules that it was made under',
      { implicitRules: 'http://x', expansion: { contains: [{ system: sct, code: '1' }] } },
      '/implicitRules is not known here',
    ],
    [
      'a system with a version',
      { compose: { include: [{ system: `${sct}|2026`, concept: [{ code: '1' }] }] } },
      'make no system|code',
    ],
    ['another resource', { resourceType: 'CodeSystem' }, '/resourceType must be "ValueSet"'],
  ])('that names %s is refused', (_name, valueSet, message) => {
    const { findings } = read(valueSet);
    expect(findings.join('\n')).toContain(message);
  });
});
