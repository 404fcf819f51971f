import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AssertedInput, readAssertedInputs } from '../../src/features/asserted-input.ts';
import { type CompiledFeatureMap, compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import { ucumSystem } from '../../src/fhir/ucum.ts';
import { assertedInputsSchema } from '../../src/model-catalog/asserted-inputs-schema.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { featureType } from '../../src/model-catalog/feature-type.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { bareMap, shippedModel } from '../support/shipped-model.ts';

const models = await Promise.all(['kfre-4', 'pce-2013', 'prevent-base'].map((id) => shippedModel(id)));
const [kidney] = models;

/** Everything that a value can be: counts, slopes, negative numbers, conversions with an offset and with a table. */
const everyType: FeatureMap = bareMap({
  visits: {
    kind: 'encounter',
    label: 'Visits',
    class: ['http://terminology.hl7.org/CodeSystem/v3-ActCode|AMB'],
    window: 'P1Y',
    pick: 'count',
  },
  slope: {
    kind: 'observation',
    label: 'Slope',
    unit: 'mg/dL',
    codes: ['http://loinc.org|2160-0'],
    window: 'P1Y',
    pick: 'slope',
    per: 'd',
    plausible: [0.1, 40],
    missing: 'abstain',
  },
  baseExcess: {
    kind: 'observation',
    label: 'Base excess',
    unit: 'mmol/L',
    codes: ['http://loinc.org|1925-7'],
    window: 'P1D',
    pick: 'latest',
    plausible: [-30, 30],
    missing: 'abstain',
  },
  haemoglobinA1c: {
    kind: 'observation',
    label: 'HbA1c',
    unit: '%',
    codes: ['http://loinc.org|4548-4'],
    window: 'P1Y',
    pick: 'latest',
    analyte: 'hba1c',
    plausible: [3, 20],
    missing: 'abstain',
  },
  cortisol: {
    kind: 'observation',
    label: 'Falling scale',
    unit: 'ug/dL',
    codes: ['http://loinc.org|2143-6'],
    window: 'P1Y',
    pick: 'latest',
    conversions: [{ from: 'nmol/L', factor: -0.5, offset: 10, source: 'made up for this test' }],
    plausible: [1, 9],
    missing: 'abstain',
  },
  points: { kind: 'input', label: 'Points', unit: '1', whole: true, ask: 'How many points?' },
  consciousness: {
    kind: 'input',
    label: 'Consciousness',
    vocabulary: ['alert', 'confused'],
    ask: 'Alert, or confused?',
  },
  double: { kind: 'derived', label: 'Double', unit: 'mmol/L', expression: ['*', 2, 'baseExcess'], source: 'this test' },
});

function schemaOf(featureMap: FeatureMap) {
  if (kidney === undefined) throw new Error('kfre-4 is not shipped');
  return new Ajv().compile(assertedInputsSchema({ ...kidney, featureMap }));
}

function isAcceptedByServer(input: Readonly<Record<string, unknown>>, compiled: CompiledFeatureMap): boolean {
  const asserted = Object.entries(input).map(([name, value]) => ({ name, value }) as AssertedInput);
  try {
    readAssertedInputs(asserted, compiled);
    return true;
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'PARAMETER_INVALID') return false;
    throw error;
  }
}

const edges = [0, 1e-6, 9e-7, -1e-6, 1e20, 1e21, -1e21, 1, 2.5, 40, 1e300, 2 ** 60];

/** Values of every kind, many of them at or near the limits of some feature. */
function values(featureMap: FeatureMap): fc.Arbitrary<unknown> {
  const types = Object.values(featureMap.features).map(featureType);
  const limits = types.flatMap((type) => (type.type === 'number' && type.plausible ? [...type.plausible] : []));
  const codes = types.flatMap((type) => (type.type === 'code' ? [...type.vocabulary] : []));
  return fc.oneof(
    fc.constantFrom(...edges, ...limits, ...limits.map((limit) => limit * 1.001 + 0.001)),
    fc.double({ min: -500, max: 1500, noNaN: true }),
    fc.integer({ min: -5, max: 200 }),
    fc.boolean(),
    fc.constantFrom('', 'yes', '120', 'toString', ...codes),
    fc.constantFrom(null, {}, []),
  );
}

describe.each([
  ...models.map(({ manifest, featureMap }) => [manifest.id, featureMap] as const),
  ['every type', everyType] as const,
])('the input schema of %s', (_, featureMap) => {
  const validate = schemaOf(featureMap);
  const compiled = compileFeatureMap(featureMap);

  test('accepts exactly what the server accepts', () => {
    const names = fc.constantFrom(...Object.keys(featureMap.features), 'unknown');
    const inputs = fc.dictionary(names, values(featureMap), { maxKeys: 2 });
    let accepted = 0;
    fc.assert(
      fc.property(inputs, (input) => {
        const server = Object.values(input).includes(null) ? false : isAcceptedByServer(input, compiled);
        expect(validate(input)).toBe(server);
        if (server && Object.keys(input).length > 0) accepted++;
      }),
      { numRuns: 1_000 },
    );
    expect(accepted).toBeGreaterThan(30);
  });

  test('accepts no Quantity that the server refuses, and one in each unit that it names', () => {
    for (const [name, definition] of Object.entries(featureMap.features)) {
      const type = featureType(definition);
      if (type.type !== 'number') continue;
      const units = unitsNamed(featureMap, name);
      expect(units).toContain(type.unit);
      for (const code of units) {
        let accepted = 0;
        fc.assert(
          fc.property(
            fc.oneof(
              fc.constantFrom(...edges),
              fc.integer({ min: -500, max: 9000 }),
              fc.integer({ min: 0, max: 2000 }).map((hundredths) => hundredths / 100),
            ),
            (value) => {
              const input = { [name]: { value, system: ucumSystem, code } };
              if (!validate(input)) return;
              accepted++;
              expect(isAcceptedByServer(input, compiled), `${value} ${code}`).toBe(true);
            },
          ),
        );
        expect(accepted, `${name} in ${code}`).toBeGreaterThan(0);
      }
    }
  });
});

/** Units of the Quantities that the schema of one input lists. */
function unitsNamed(featureMap: FeatureMap, name: string): string[] {
  const text = JSON.stringify(assertedInputsSchema({ ...(kidney as NonNullable<typeof kidney>), featureMap }));
  const { properties } = JSON.parse(text) as {
    properties: Record<string, { anyOf: { properties?: { code: { const: string } } }[] }>;
  };
  return (properties[name]?.anyOf ?? []).flatMap(({ properties: parts }) => (parts ? [parts.code.const] : []));
}

describe('the input schema', () => {
  test('lists the units that the map converts, each with its own range', () => {
    expect(unitsNamed(everyType, 'cortisol')).toEqual(['ug/dL', 'nmol/L']);
    const validate = schemaOf(everyType);
    const falling = (value: number) => ({ cortisol: { value, system: ucumSystem, code: 'nmol/L' } });
    expect([1.9, 2, 18, 18.1].map((value) => validate(falling(value)))).toEqual([false, true, true, false]);
  });

  test('refuses a limit such as <5, which is no value', () => {
    const input = { baseExcess: { value: 5, comparator: '<', system: ucumSystem, code: 'mmol/L' } };
    expect([schemaOf(everyType)(input), isAcceptedByServer(input, compileFeatureMap(everyType))]).toEqual([
      false,
      false,
    ]);
  });

  test('refuses a feature beside what it is derived from', () => {
    const validate = schemaOf(everyType);
    expect([validate({ double: 2 }), validate({ double: 2, baseExcess: 1 })]).toEqual([true, false]);
  });
});
