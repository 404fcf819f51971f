import { ucumSystem } from '../fhir/ucum.ts';
import { analyteConversion, analyteUnits } from './analyte-conversion.ts';
import type { FeatureDefinition } from './feature-map-schema.ts';
import { madeOf } from './feature-reads.ts';
import { featureType } from './feature-type.ts';
import type { ModelVersion } from './model-version.ts';
import { type NumberRange, numbersWithin, wholeNumbersWithin } from './number-schema.ts';
import type { JsonSchema } from './published-schemas.ts';
import { readByUsed } from './read-by-used.ts';

/**
 * The JSON Schema of what a caller may assert for a model: one key for each feature, with the value as a number in the
 * feature's own unit, a FHIR Quantity, yes or no, or a code. Numbers, yes-or-no and codes are accepted exactly where the
 * schema accepts them; Quantities also in other units that UCUM converts, which no schema can list.
 */
export function assertedInputsSchema({
  manifest,
  featureMap,
  uses,
}: Pick<ModelVersion, 'manifest' | 'featureMap' | 'uses'>): JsonSchema {
  // A sequence, a text or an image is what a record says, and is not asserted.
  const features = Object.entries(featureMap.features).filter(([, { kind }]) => !notAsserted.has(kind));
  const exclusive = features.flatMap(([name, definition]) =>
    madeOf(definition)
      .filter((read) => featureMap.features[read]?.kind !== 'demographics')
      .map((read) => ({ not: { required: [name, read] } })),
  );
  // What another model reads from the record is not known to it where the caller asserts it.
  const together = [...readByUsed({ featureMap, uses })].map(([name, outputs]) => ({
    anyOf: [{ not: { required: [name] } }, { required: outputs }],
  }));
  const rules = [...exclusive, ...together];
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `Inputs of ${manifest.title} (${manifest.id} ${manifest.version})`,
    description:
      'What a caller may assert in place of what the record says. Each key is one `input` parameter of $predict: a number goes into valueDecimal, an object into valueQuantity, a boolean into valueBoolean, a text into valueCode. A feature and what it is derived from are not asserted together; what another model reads of the record and its output are.',
    type: 'object',
    properties: Object.fromEntries(features.map(([name, definition]) => [name, valueSchema(definition)])),
    additionalProperties: false,
    ...(rules.length === 0 ? {} : { allOf: rules }),
  };
}

const notAsserted: ReadonlySet<string> = new Set(['sequence', 'text', 'image']);

function valueSchema(definition: FeatureDefinition): JsonSchema {
  const value = featureType(definition);
  const about = { title: definition.label, ...('ask' in definition && { description: definition.ask }) };
  if (value.type === 'sequence' || value.type === 'text' || value.type === 'image')
    throw new Error(`${definition.label} is a ${value.type}, which is not asserted`);
  if (value.type === 'boolean') return { ...about, type: 'boolean' };
  if (value.type === 'code') return { ...about, type: 'string', enum: value.vocabulary };
  const { unit, plausible, isWhole } = value;
  const range: NumberRange = { from: plausible?.[0], to: plausible?.[1] };
  const own = isWhole === true ? wholeNumbersWithin(range) : numbersWithin(range);
  const others = isWhole === true ? [] : conversionsTo(definition, unit);
  const quantities = [
    quantityIn(unit, own),
    ...others.map(({ from, ...conversion }) => quantityIn(from, numbersWithin(range, conversion))),
  ];
  return { description: `a number in ${unit}, or a FHIR Quantity`, ...about, anyOf: [own, ...quantities] };
}

/** Without a comparator: a caller who asserts something says what. */
function quantityIn(unit: string, value: JsonSchema): JsonSchema {
  return {
    type: 'object',
    properties: { value, unit: { const: unit }, system: { const: ucumSystem }, code: { const: unit } },
    required: ['value', 'system', 'code'],
    additionalProperties: false,
  };
}

/** The other units that the map, or the table of its analyte, names. */
function conversionsTo(
  definition: FeatureDefinition,
  unit: string,
): { readonly from: string; readonly factor: number; readonly offset: number }[] {
  // A slope is in another unit than its measurements.
  if (definition.kind !== 'observation' || definition.unit !== unit) return [];
  const { conversions = [], analyte } = definition;
  const declared = conversions
    .filter(({ factor }) => factor !== 0)
    .map(({ from, factor, offset = 0 }) => ({ from, factor, offset }));
  const tabled = (analyte === undefined ? [] : analyteUnits(analyte)).flatMap((from) => {
    if (analyte === undefined || from === unit || declared.some((each) => each.from === from)) return [];
    const conversion = analyteConversion(analyte, from, unit);
    return 'refused' in conversion ? [] : [{ from, factor: conversion.factor, offset: conversion.offset }];
  });
  return [...declared, ...tabled];
}
