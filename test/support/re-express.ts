import type { Observation, ObservationComponent, Quantity } from '@medplum/fhirtypes';
import type { RecordResource } from '../../src/records/clinical-record.ts';

/** A unit, and how many of the measure's own unit one of it is: by the definitions of UCUM, not by our own arithmetic. */
export interface Unit {
  readonly code: string;
  readonly size: number;
  /** The map declares the conversion, so the text alone is understood too. */
  readonly declared?: true;
}

/** What is measured under some LOINC codes; the first unit is the one of the feature map, and the values are in it. */
export interface Measure {
  readonly codes: readonly string[];
  readonly units: readonly Unit[];
  /** The ends of the plausible range. */
  readonly ends: readonly number[];
  readonly values: { readonly usual: readonly number[]; readonly rare: readonly number[] };
}

const ownUnit = (code: string): Unit => ({ code, size: 1, declared: true });
const massPerVolume: readonly Unit[] = [
  ownUnit('mg/dL'),
  { code: 'g/L', size: 100 },
  { code: 'mg/L', size: 0.1 },
  { code: 'ug/mL', size: 0.1 },
  { code: 'ng/mL', size: 1e-4 },
  { code: 'g/dL', size: 1000 },
  { code: 'kg/m3', size: 100 },
];
const cholesterolUnits: readonly Unit[] = [...massPerVolume, { code: 'mmol/L', size: 38.67, declared: true }];
const poundPerSquareInchKg = 0.45359237 / 0.0254 ** 2;

/** The rare values lie close to the ends of the plausible range, or beyond. */
export const measures: readonly Measure[] = [
  {
    codes: ['2093-3', '14647-2'],
    ends: [40, 1000],
    units: cholesterolUnits,
    values: { usual: [180, 213.4], rare: [40.1, 999.9, 12] },
  },
  {
    codes: ['2085-9', '14646-4'],
    ends: [2, 250],
    units: cholesterolUnits,
    values: { usual: [47, 55.5], rare: [2.1, 249.9, 1.9] },
  },
  {
    codes: ['2160-0', '38483-4', '14682-9'],
    ends: [0.1, 40],
    units: [...massPerVolume, { code: 'umol/L', size: 0.011312217194570135, declared: true }],
    values: { usual: [0.97, 1.2], rare: [0.11, 39.9, 41] },
  },
  {
    codes: ['8480-6'],
    ends: [40, 300],
    units: [
      ownUnit('mm[Hg]'),
      { code: 'kPa', size: 1 / 0.133322 },
      { code: 'Pa', size: 1 / 133.322 },
      { code: 'bar', size: 100 / 0.133322 },
      { code: 'cm[H2O]', size: 98.0665 / 133.322 },
    ],
    values: { usual: [132, 151], rare: [40.1, 299.9, 301] },
  },
  {
    codes: ['39156-5'],
    ends: [7, 150],
    units: [ownUnit('kg/m2'), { code: 'g/cm2', size: 10 }, { code: '[lb_av]/[in_i]2', size: poundPerSquareInchKg }],
    values: { usual: [27.5, 31.2], rare: [7.1, 149.9, 6.9] },
  },
];

/** What makes a quantity doubtful, or seem so. */
export const spoilers: readonly ((quantity: Quantity) => Quantity)[] = [
  ({ value, unit }) => ({ value, unit }),
  ({ value }) => ({ value }),
  ({ value, system, code }) => ({ value, system, code }),
  (quantity) => ({ ...quantity, unit: 'as usual' }),
  // UCUM of another kind, and for a pressure in kPa, or a body mass index in g/cm2, the very same unit.
  (quantity) => ({ ...quantity, unit: 'kPa' }),
  (quantity) => ({ ...quantity, unit: 'g/cm2' }),
  (quantity) => ({ ...quantity, code: 'mgdl' }),
  (quantity) => ({ ...quantity, code: 'Cel', unit: 'Cel' }),
  (quantity) => ({ ...quantity, system: 'http://example.org/units' }),
  (quantity) => ({ ...quantity, comparator: '<' }),
  ({ value: _, ...quantity }) => quantity,
];

/** As it comes over the wire: a key without a value is not there. */
export function asSent<T>(parts: object): T {
  return JSON.parse(JSON.stringify(parts));
}

/** The resources with every quantity that can be read at all in another unit, `pick` says in which. */
export function inOtherUnits(resources: readonly RecordResource[], pick: (count: number) => number): RecordResource[] {
  return resources.map((resource) => {
    if (resource.resourceType !== 'Observation') return resource;
    const changed = reExpressed(resource, pick);
    return changed.component === undefined
      ? changed
      : { ...changed, component: changed.component.map((component) => reExpressed(component, pick)) };
  });
}

function reExpressed<T extends Observation | ObservationComponent>(holder: T, pick: (count: number) => number): T {
  const measure = measures.find(({ codes }) =>
    holder.code.coding?.some(({ system, code }) => system === 'http://loinc.org' && codes.includes(code ?? '')),
  );
  const { valueQuantity } = holder;
  if (measure === undefined || valueQuantity === undefined) return holder;
  return { ...holder, valueQuantity: inOtherUnit(valueQuantity, measure, pick) };
}

function inOtherUnit(quantity: Quantity, { units }: Measure, pick: (count: number) => number): Quantity {
  const { value, unit: text, system, code } = quantity;
  const onlyText = code === undefined;
  const from = units.find((unit) => unit.code === (code ?? text) && (!onlyText || unit.declared === true));
  // What is not understood is not the same thing in another unit: it stays as it is.
  if (from === undefined || value === undefined) return quantity;
  if (!onlyText && (system !== 'http://unitsofmeasure.org' || !agrees(text, from))) return quantity;
  const others = units.filter((unit) => unit !== from && (!onlyText || unit.declared === true));
  const to = others[pick(others.length)];
  if (to === undefined) return quantity;
  const changed = { ...quantity, value: (value * from.size) / to.size, unit: to.code };
  return onlyText ? changed : { ...changed, code: to.code };
}

function agrees(text: string | undefined, { code }: Unit): boolean {
  return text === undefined || text === code || text === 'as usual';
}

/** Every time with an offset as the same instant with another one, `pick` says which (minutes east of Greenwich). */
export function inOtherOffsets<T>(value: T, pick: () => number): T {
  return JSON.parse(JSON.stringify(value), (_, each: unknown) =>
    typeof each === 'string' && /^\d{4}-\d\d-\d\dT/.test(each) ? withOffset(each, pick()) : each,
  );
}

function withOffset(instant: string, minutes: number): string {
  const local = new Date(Date.parse(instant) + minutes * 60_000).toISOString();
  const seconds = local.slice(0, instant.includes('.') ? 23 : 19);
  const part = (count: number) => String(count).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${seconds}${minutes < 0 ? '-' : '+'}${part(Math.floor(size / 60))}:${part(size % 60)}`;
}
