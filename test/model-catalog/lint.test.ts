import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectModelFolder } from '../../src/model-catalog/inspect-model-folder.ts';
import { checkCodeSystems } from '../../src/model-catalog/lint/check-code-systems.ts';
import { checkConversions } from '../../src/model-catalog/lint/check-conversions.ts';
import { checkGoldenPlausible } from '../../src/model-catalog/lint/check-golden-plausible.ts';
import { checkLoincCodes } from '../../src/model-catalog/lint/check-loinc-codes.ts';
import { checkSnomedCodes } from '../../src/model-catalog/lint/check-snomed-codes.ts';
import { jsonErrorPlace } from '../../src/model-catalog/lint/json-error-place.ts';
import type { LintedModel } from '../../src/model-catalog/lint/linted-model.ts';
import { contains, populationRange } from '../../src/model-catalog/lint/population-range.ts';
import { repeatedKeys } from '../../src/model-catalog/lint/repeated-keys.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import type { Outcome } from '../../src/model-catalog/outcome-schema.ts';
import { checkGoldenSpread } from '../../src/model-catalog/registration/golden-spread.ts';
import { shippedModels } from '../support/model-folder.ts';
import { seededRandom } from '../support/seeded-random.ts';

function use(system: string, code: string) {
  return [{ file: 'feature-map.json', path: '/features/x/codes/0', system, code }];
}

describe('a LOINC code', () => {
  // Published codes: terms, answers, answer lists, parts and groups.
  test.each(['2093-3', '8480-6', '72166-2', '14682-9', 'LA33-6', 'LA32-8', 'LA137-2', 'LA18976-3', 'LA15920-4'])(
    '%s has its check digit',
    (code) => expect(checkLoincCodes(use('http://loinc.org', code))).toEqual([]),
  );
  test.each(['LA6568-5', 'LL715-4', 'LL1162-8', 'LP7753-9', 'LP6118-6', 'LP29693-6', 'LG51018-6', 'LG2807-8'])(
    '%s has its check digit',
    (code) => expect(checkLoincCodes(use('http://loinc.org', code))).toEqual([]),
  );

  test.each([
    ['2093-4', 'the check digit of 2093 is 3, not 4'],
    ['2039-3', 'the check digit of 2039 is'],
    ['LA18976-1', 'the check digit of LA18976 is 3, not 1'],
    ['LP6118-7', 'the check digit of LP6118 is 6, not 7'],
    ['20933', 'digits (after LA, LL, LP or LG'],
    ['2093-33', 'a hyphen and a check digit'],
    ['la33-6', 'is no LOINC code'],
  ])('%s is none: %s', (code, reason) => {
    expect(checkLoincCodes(use('http://loinc.org', code))).toMatchObject([
      { message: expect.stringContaining(reason) },
    ]);
  });

  test('of another system is not looked at', () => {
    expect(checkLoincCodes(use('http://snomed.info/sct', '2093-4'))).toEqual([]);
  });
});

describe('a SNOMED CT code', () => {
  test.each(['44054006', '73211009', '22298006', '428041000124106'])('%s has its check digit', (code) => {
    expect(checkSnomedCodes(use('http://snomed.info/sct', code))).toEqual([]);
  });

  test.each(['44054007', '44045006', '440540068', '73211', 'E11.9', '0044054006'])('%s is none', (code) => {
    expect(checkSnomedCodes(use('http://snomed.info/sct', code))).toHaveLength(1);
  });
});

describe('a code system', () => {
  test.each([
    'http://loinc.org',
    'http://hl7.org/fhir/sid/icd-10-cm',
    'https://hospital.example/codes',
    'urn:oid:2.16.840.1.113883.6.238',
    'urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7',
  ])('%s is one', (system) => expect(checkCodeSystems(use(system, 'x'))).toEqual([]));

  test.each([
    ['https://loinc.org', 'http://loinc.org'],
    ['http://loinc.org/', 'http://loinc.org'],
    ['LOINC.org', 'http://loinc.org'],
    ['urn:oid:2.16.840.1.113883.6.96', 'http://snomed.info/sct'],
    ['http://HL7.org/fhir/sid/icd-10-cm', 'http://hl7.org/fhir/sid/icd-10-cm'],
  ])('%s is written %s', (system, right) => {
    expect(checkCodeSystems(use(system, 'x'))).toMatchObject([
      { message: expect.stringContaining(`written ${right} in`) },
    ]);
  });

  test.each(['LOINC', '2.16.840.1.113883.6.238', 'urn:', 'http://'])('%s is none', (system) => {
    expect(checkCodeSystems(use(system, 'x'))).toMatchObject([
      { message: expect.stringContaining('is no code system') },
    ]);
  });
});

describe('a conversion', () => {
  const check = (unit: string, from: string, factor: number) =>
    checkConversions({
      language: 1,
      features: {
        x: {
          kind: 'observation',
          label: 'X',
          unit,
          codes: ['http://loinc.org|2093-3'],
          window: 'P1Y',
          pick: 'latest',
          conversions: [{ from, factor, source: 'a test' }],
          plausible: [0, 1],
          missing: 'abstain',
        },
      },
      population: { exclude: [], require: [], ranges: [] },
    });

  test.each([
    ['mg/dL', 'mmol/L', 38.67],
    ['mg/dL', 'mg/L', 0.1],
    ['kg', '[lb_av]', 0.4536],
  ])('to %s from %s by %d is right, or nothing that UCUM knows', (unit, from, factor) => {
    expect(check(unit, from, factor)).toEqual([]);
  });

  test.each([
    ['mg/dL', 'mmol/L', 0],
    ['mg/dL', 'mmol/L', -38.67],
    ['mg/dL', 'mmol/L', Number.POSITIVE_INFINITY],
    ['mg/dL', 'mg/L', 10],
  ])('to %s from %s by %d is wrong', (unit, from, factor) => {
    expect(check(unit, from, factor)).toMatchObject([{ path: '/features/x/conversions/0/factor' }]);
  });
});

describe('the range of a population', () => {
  const map = {
    language: 1 as const,
    features: {},
    population: {
      exclude: [],
      require: [
        { reason: 'age', feature: 'age', from: 30, to: 79, message: '', outcomes: ['a'] },
        { reason: 'age', feature: 'age', from: 30, to: 59, message: '', outcomes: ['b'] },
      ],
      ranges: [
        { feature: 'age', from: 40, to: 90 },
        { feature: 'bmi', from: 18.5, below: 40 },
      ],
    },
  };

  test('is what all rules of the outcome let through', () => {
    expect(populationRange(map, 'age', 'a')).toEqual({ from: 40, to: 79, inclusive: true });
    expect(populationRange(map, 'age', 'b')).toEqual({ from: 40, to: 59, inclusive: true });
    expect(populationRange(map, 'age', 'c')).toEqual({ from: 40, to: 90, inclusive: true });
    expect(populationRange(map, 'height', 'a')).toBeUndefined();
  });

  test('leaves out a limit that is exclusive', () => {
    const range = populationRange(map, 'bmi', 'a');
    expect(range).toEqual({ from: 18.5, to: 40, inclusive: false });
    expect(range && [18.5, 39.9, 40].map((value) => contains(range, value))).toEqual([true, true, false]);
  });
});

describe('golden cases', () => {
  /** The shipped PCE with other golden cases: age and expected probability of each. */
  async function withGolden(...cases: [age: number, expected: number][]) {
    const { manifest, featureMap } = await inspectModelFolder(path.join(shippedModels, 'pce-2013/1.0.0'));
    if (manifest === undefined || featureMap === undefined) throw new Error('the shipped model does not parse');
    const golden = cases.map(([age, expected]) => ({
      name: `${age}`,
      inputs: { age },
      expected: { 'ascvd-10y': expected },
      tolerance: 0.001,
    }));
    return { manifest, featureMap, golden: [{ file: 'golden/a.json', content: { source: 'a test', cases: golden } }] };
  }

  test('with an input that no patient can have are told', async () => {
    expect(checkGoldenPlausible(await withGolden([50, 0.1], [131, 0.9]))).toEqual([
      {
        file: 'golden/a.json',
        path: '/cases/1/inputs/age',
        message: expect.stringContaining('is 131, outside the plausible range 0 to 130'),
      },
    ]);
  });

  const lacking = (manifest: Manifest, golden: LintedModel['golden']) =>
    checkGoldenSpread(
      manifest,
      golden.flatMap(({ content }) => content.cases),
    ).findings?.map(({ message }) => message);

  test('should reach the lowest and the highest band', async () => {
    const messages = async (...cases: [number, number][]) => {
      const { manifest, golden } = await withGolden(...cases);
      return lacking(manifest, golden);
    };
    expect(await messages([41, 0.01], [79, 0.2])).toEqual([]);
    expect(await messages([41, 0.05], [79, 0.2])).toEqual(['hold no low case of ascvd-10y; add one in the band low']);
    expect(await messages([60, 0.1])).toHaveLength(2);
  });

  test('without bands should lie apart', async () => {
    const messages = async (...cases: [number, number][]) => {
      const model = await withGolden(...cases);
      const outcomes = model.manifest.outcomes.map((outcome) => ({ ...outcome, bands: undefined })) as Outcome[];
      return lacking({ ...model.manifest, outcomes }, model.golden);
    };
    expect(await messages([41, 0.1], [79, 0.2])).toEqual([]);
    expect(await messages([41, 0], [79, 0.2])).toEqual([]);
    expect(await messages([41, 0.1], [79, 0.15])).toEqual([
      'hold no low and high case of ascvd-10y (expected 0.1 to 0.15); add one of each',
    ]);
    expect(await messages([41, 0])).toHaveLength(1);
  });
});

describe('a key that stands twice', () => {
  test.each([
    ['{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 2}]}', []],
    ['{"a": "a", "b": "\\"a\\": 1", "c": ["a", "a"]}', []],
    ['{"a": 1,\n"a": 2}', ['/a 2']],
    ['{"a": 1, "\\u0061": 2}', ['/a 1']],
    ['{"x": [1, [2, "},{"], {"y/z": {"k": [],\n "k" : {}}}]}', ['/x/2/y~1z/k 2']],
    ['{"a": {"b": 1, "b": 2}, "a": {"b": 1}}', ['/a/b 1', '/a 1']],
    ['[]', []],
    ['"a"', []],
  ])('in %s is %j', (text, expected) => {
    JSON.parse(text);
    expect(repeatedKeys(text).map(({ path, line }) => `${path} ${line}`)).toEqual(expected);
  });
});

describe('the place of a JSON error', () => {
  test.each([
    ['{\n  "a": 1,\n}', 3, 1],
    ['{\n  "a" 1\n}', 2, 7],
    ['{ "a": [1, 2 }', 1, 14],
    ['[1,]', 1, 4],
    ["{'a': 1}", 1, 2],
    ['{"a": "b\n"}', 1, 7],
    ['{"a": NaN}', 1, 7],
    ['{"a": 01}', 1, 8],
    ['{"a": 1} x', 1, 10],
    ['{"a": 1', 1, 8],
    ['', 1, 1],
    ['"\\x"', 1, 1],
  ])('of %j is line %d column %d', (text, line, column) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(jsonErrorPlace(text)).toEqual({ line, column });
  });

  test('is found exactly where JavaScript refuses the text, whatever is left out of it', () => {
    const whole = JSON.stringify({ a: [1, -2.5e-3, true, null, { b: 'ü"\\\n' }], c: {}, d: [], e: 'x' }, null, 1);
    const random = seededRandom(1);
    for (let round = 0; round < 3000; round++) {
      const at = Math.floor(random() * whole.length);
      const text = whole.slice(0, at) + '[]{},:"1e\\ '.charAt(round % 12) + whole.slice(at + (round % 3));
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(jsonErrorPlace(text) === undefined, text).toBe(isJson);
    }
  });
});
