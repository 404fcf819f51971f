import type { Observation, ObservationComponent, Quantity, QuestionnaireResponseItem, Ratio } from '@medplum/fhirtypes';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import type { Measure, Unit } from './measures-of.ts';

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

/** Says which of so many is taken. */
type Pick = (count: number) => number;
type Measures = ReadonlyMap<string, Measure>;

/**
 * The resources with every quantity that can be read at all in another unit that every feature reads which reads it.
 * @param measures by code: see `jointMeasures`
 */
export function inOtherUnits(resources: readonly RecordResource[], measures: Measures, pick: Pick): RecordResource[] {
  return resources.map((resource) => {
    if (resource.resourceType === 'QuestionnaireResponse' && resource.item !== undefined)
      return { ...resource, item: resource.item.map((item) => itemReExpressed(item, measures, pick)) };
    if (resource.resourceType !== 'Observation') return resource;
    const changed = reExpressed(resource, measures, pick);
    return changed.component === undefined
      ? changed
      : { ...changed, component: changed.component.map((component) => reExpressed(component, measures, pick)) };
  });
}

function itemReExpressed(item: QuestionnaireResponseItem, measures: Measures, pick: Pick): QuestionnaireResponseItem {
  const measure = measures.get(`linkId|${item.linkId}`);
  const answer = item.answer?.map(({ valueQuantity, ...rest }) =>
    valueQuantity === undefined || measure === undefined
      ? { ...rest, ...(valueQuantity && { valueQuantity }) }
      : { ...rest, valueQuantity: inOtherUnit(valueQuantity, measure, pick) },
  );
  const nested = item.item?.map((each) => itemReExpressed(each, measures, pick));
  return { ...item, ...(answer && { answer }), ...(nested && { item: nested }) };
}

function reExpressed<T extends Observation | ObservationComponent>(holder: T, measures: Measures, pick: Pick): T {
  const found = holder.code.coding?.flatMap(({ system, code }) => measures.get(`${system}|${code}`) ?? []);
  const [measure, ...others] = found ?? [];
  // Two things at once: no unit is one of both.
  if (measure === undefined || others.length > 0) return holder;
  const { valueQuantity, valueString, valueRatio } = holder;
  if (valueQuantity !== undefined) return { ...holder, valueQuantity: inOtherUnit(valueQuantity, measure, pick) };
  if (valueRatio !== undefined) return { ...holder, valueRatio: inOtherSizes(valueRatio, pick) };
  return valueString === undefined ? holder : { ...holder, valueString: inOtherWords(valueString, measure, pick) };
}

function inOtherUnit(quantity: Quantity, { units }: Measure, pick: Pick): Quantity {
  const { value, unit: text, system, code, comparator } = quantity;
  const onlyText = code === undefined;
  const from = units.find((unit) => unit.code === (code ?? text) && (!onlyText || unit.spelt));
  // What is not understood is not the same thing in another unit: it stays as it is.
  if (from === undefined || value === undefined) return quantity;
  if (!onlyText && (system !== 'http://unitsofmeasure.org' || !agrees(text, from))) return quantity;
  const to = otherOf(units, from, pick, onlyText);
  // Half of a limit is another value on a scale with another zero.
  if (to === undefined || (comparator !== undefined && to.offset !== from.offset)) return quantity;
  const changed = { ...quantity, value: converted(value, from, to), unit: to.code };
  return onlyText ? changed : { ...changed, code: to.code };
}

function otherOf(units: readonly Unit[], from: Unit, pick: Pick, onlySpelt: boolean): Unit | undefined {
  const others = units.filter((unit) => unit !== from && (!onlySpelt || unit.spelt));
  return others[pick(others.length)];
}

function converted(value: number, from: Unit, to: Unit): number {
  return (value * from.size + from.offset - to.offset) / to.size;
}

function agrees(text: string | undefined, { code }: Unit): boolean {
  return text === undefined || text === code || text === 'as usual';
}

/** A number and a unit in a text, the unit spelt as the map spells one. */
function inOtherWords(text: string, { units }: Measure, pick: Pick): string {
  const [, sign = '', digits, code] = /^([<>]=?)?\s*(\d+(?:\.\d+)?)\s+(\S+)$/.exec(text) ?? [];
  const from = units.find((unit) => unit.code === code && unit.spelt);
  const to = from && otherOf(units, from, pick, true);
  if (from === undefined || to === undefined || (sign !== '' && to.offset !== from.offset)) return text;
  const number = String(Number(converted(Number(digits), from, to).toPrecision(15)));
  return /^\d{1,15}(\.\d{1,15})?$/.test(number) ? `${sign}${number} ${to.code}` : text;
}

const prefixes: Readonly<Record<string, readonly [code: string, size: number]>> = {
  mg: ['ug', 1e-3],
  g: ['mg', 1e-3],
  mmol: ['umol', 1e-3],
};

/** A ratio with one of its sides in a smaller unit. */
function inOtherSizes(ratio: Ratio, pick: Pick): Ratio {
  const side = pick(2) === 0 ? 'numerator' : 'denominator';
  const quantity = ratio[side];
  const smaller = prefixes[quantity?.code ?? ''];
  if (quantity?.value === undefined || smaller === undefined) return ratio;
  if (quantity.unit !== undefined && quantity.unit !== quantity.code) return ratio;
  const [code, size] = smaller;
  const { unit, ...rest } = quantity;
  return { ...ratio, [side]: { ...rest, ...(unit && { unit: code }), value: quantity.value / size, code } };
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
