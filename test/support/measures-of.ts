import { type AnalyteName, analytes } from '../../src/model-catalog/analytes.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import type { ValueForms } from '../../src/model-catalog/value-forms-schema.ts';
import { type FamilyUnit, unitFamilies } from './unit-families.ts';

/** A unit, and what a value in it is in the measure's own unit: size · value + offset. */
export interface Unit {
  readonly code: string;
  readonly size: number;
  readonly offset: number;
  /** The map spells it, so that its text alone is understood. */
  readonly spelt: boolean;
}

/** What is measured under some codes, as one feature reads it. */
export interface Measure extends Pick<ValueForms, 'strings' | 'integers' | 'ratios'> {
  /** The feature, or the first of several. */
  readonly name: string;
  /** `system|code`; `linkId|…` for the item of a questionnaire. */
  readonly codes: readonly string[];
  /** Units that can be read, the own one first. */
  readonly units: readonly Unit[];
  readonly plausible: readonly [number, number];
}

type Linear = Pick<Unit, 'size' | 'offset'>;
const same: Linear = { size: 1, offset: 0 };
const inTurn = (first: Linear, second: Linear): Linear => ({
  size: first.size * second.size,
  offset: first.offset * second.size + second.offset,
});
const inverse = ({ size, offset }: Linear): Linear => ({ size: 1 / size, offset: offset === 0 ? 0 : -offset / size });
const linear = ({ size, offset = 0 }: FamilyUnit): Linear => ({ size, offset });

function familyOf(code: string): readonly FamilyUnit[] {
  return unitFamilies.find((family) => family.some((unit) => unit.code === code)) ?? [{ code, size: 1 }];
}

/** From one unit of a family into another one. */
function between(from: string, to: string): Linear | undefined {
  if (from === to) return same;
  const family = familyOf(to);
  const [start, end] = [from, to].map((code) => family.find((unit) => unit.code === code));
  return start === undefined || end === undefined ? undefined : inTurn(linear(start), inverse(linear(end)));
}

interface Link {
  readonly from: string;
  /** Into the unit of the feature. */
  readonly into: Linear;
  /** No other unit of its family is converted by it: a conversion of the map is of one unit alone. */
  readonly isOnlyOf?: true;
}

interface Declared {
  readonly from: string;
  readonly factor: number;
  readonly offset?: number;
}

const linkOf = ({ from, factor, offset = 0 }: Declared): Link => ({ from, into: { size: factor, offset } });

function analyteLinks(name: AnalyteName, unit: string): Link[] {
  const { unit: own, conversions } = analytes[name];
  const table = [{ from: own, into: same }, ...conversions.map(linkOf)];
  const ways = table.flatMap(({ from, into }) => {
    const way = between(unit, from);
    return way === undefined ? [] : [inTurn(way, into)];
  });
  const [way] = ways;
  if (way === undefined) throw new RangeError(`no way is known here from ${unit} to ${name}`);
  return table.map(({ from, into }) => ({ from, into: inTurn(into, inverse(way)) }));
}

/** What a feature measures; nothing for one that reads no number with a unit. */
export function measuresOf(name: string, definition: FeatureDefinition): Measure[] {
  if (definition.kind === 'answer' && definition.yesAbove !== undefined) {
    const { unit, plausible } = definition.yesAbove;
    return [{ name, codes: codesRead(definition), units: unitsOf(unit, [], new Set([unit])), plausible }];
  }
  if (definition.kind === 'questionnaire' && definition.unit !== undefined) {
    const { unit, linkId, plausible = [0, 100] } = definition;
    return [{ name, codes: [`linkId|${linkId}`], units: unitsOf(unit, [], new Set([unit])), plausible }];
  }
  if (definition.kind !== 'observation' && definition.kind !== 'sequence') return [];
  const { unit, plausible, conversions = [], analyte, strings, integers, ratios } = definition;
  const links = [
    ...conversions.map((one): Link => ({ ...linkOf(one), isOnlyOf: true })),
    ...(analyte === undefined ? [] : analyteLinks(analyte, unit)),
  ];
  const spelt = new Set([unit, ...links.map(({ from }) => from)]);
  return [
    {
      name,
      codes: codesRead(definition),
      units: unitsOf(unit, links, spelt),
      plausible,
      ...(strings && { strings }),
      ...(integers && { integers }),
      ...(ratios && { ratios }),
    },
  ];
}

function codesRead({
  codes = [],
  component,
}: {
  readonly codes?: readonly string[];
  readonly component?: { readonly codes: readonly string[] };
}): string[] {
  return [...new Set([...codes, ...(component?.codes ?? [])])];
}

/** The own unit and its family, then those of every link. */
function unitsOf(unit: string, links: readonly Link[], spelt: ReadonlySet<string>): Unit[] {
  const units = new Map<string, Unit>();
  const ways: readonly Link[] = [{ from: unit, into: same }, ...links];
  for (const { from, into, isOnlyOf } of ways) {
    for (const { code } of isOnlyOf ? [{ code: from }] : [{ code: from }, ...familyOf(from)]) {
      const way = between(code, from);
      if (way === undefined || units.has(code)) continue;
      units.set(code, { code, ...inTurn(way, into), spelt: spelt.has(code) });
    }
  }
  return [...units.values()];
}

/** By code what all that read it can read: the units that every one of them knows, and the range in which all are plausible. */
export function jointMeasures(measures: readonly Measure[]): ReadonlyMap<string, Measure> {
  const joint = new Map<string, Measure>();
  for (const measure of measures) {
    for (const code of measure.codes) {
      const known = joint.get(code);
      joint.set(code, known === undefined ? { ...measure, codes: [code] } : joined(known, measure));
    }
  }
  return joint;
}

function joined(one: Measure, other: Measure): Measure {
  const units = one.units.flatMap((unit) => {
    const known = other.units.find(({ code }) => code === unit.code);
    return known === undefined ? [] : [{ ...unit, spelt: unit.spelt && known.spelt }];
  });
  const own = one.units.find(({ code }) => code === other.units[0]?.code);
  const ends = own === undefined ? one.plausible : other.plausible.map((end) => own.size * end + own.offset);
  const [low = 0, high = 0] = ends;
  return {
    // A form that one of them reads is drawn.
    ...other,
    ...one,
    units: units.length === 0 ? one.units.slice(0, 1) : units,
    plausible: [Math.max(one.plausible[0], low), Math.min(one.plausible[1], high)],
  };
}
