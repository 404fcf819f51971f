import type { Dosage, Duration, MedicationRequest, Period } from '@medplum/fhirtypes';
import type { InstantRange } from '../fhir/instant-range.ts';
import { unitConversion } from '../fhir/ucum.ts';
import type { ExtractionContext } from './feature-extractor.ts';
import type { MedicationResource } from './prescribed.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** From when on, and until when, something is taken: by its period, the bounds of its dosage or its supply. */
export interface Course {
  readonly start?: InstantRange;
  /** Absent where it goes on for as long as its status says so. */
  readonly end?: InstantRange;
  /** What happened, not what was planned, which may have ended otherwise. */
  readonly isActual: boolean;
  /** A limit is given and cannot be read, or the one that is needed is not given. */
  readonly isUnread: boolean;
}

type Limits = Omit<Course, 'isActual'>;

/** The course of a resource of one of the four types. */
export function courseOf(context: ExtractionContext, resource: MedicationResource): Course {
  switch (resource.resourceType) {
    case 'MedicationRequest':
      return { ...plannedLimits(context, resource), isActual: false };
    case 'MedicationStatement':
    case 'MedicationAdministration':
      return { ...periodLimits(context, resource.effectivePeriod), isActual: true };
    case 'MedicationDispense': {
      const handedOver = context.rangeOf(resource.whenHandedOver ?? resource.whenPrepared);
      const { daysSupply } = resource;
      const limits = daysSupply === undefined ? { isUnread: true } : supplied(handedOver, daysSupply, 1);
      return { ...limits, isActual: false };
    }
  }
}

/** The bounds of the dosage, else the validity of the prescription, else how long what may be dispensed lasts. */
function plannedLimits(
  context: ExtractionContext,
  { dosageInstruction = [], dispenseRequest, authoredOn }: MedicationRequest,
): Limits {
  const authored = context.rangeOf(authoredOn);
  const bounds = dosageInstruction.map((dosage) => dosageBounds(context, dosage, authored));
  if (bounds.some((each) => each?.isUnread === true)) return { isUnread: true };
  const given = bounds.filter((each) => each !== undefined);
  if (given.length > 0 && given.length === bounds.length) return joined(given);
  const { validityPeriod, expectedSupplyDuration, numberOfRepeatsAllowed = 0 } = dispenseRequest ?? {};
  if (validityPeriod !== undefined) return periodLimits(context, validityPeriod);
  if (expectedSupplyDuration === undefined) return { isUnread: false };
  return supplied(authored, expectedSupplyDuration, 1 + numberOfRepeatsAllowed);
}

function dosageBounds(
  context: ExtractionContext,
  dosage: Dosage,
  authored: InstantRange | undefined,
): Limits | undefined {
  if (changesMeaning(dosage)) return { isUnread: true };
  const { boundsPeriod, boundsDuration, boundsRange } = dosage.timing?.repeat ?? {};
  if (boundsPeriod !== undefined) return periodLimits(context, boundsPeriod);
  if (boundsDuration !== undefined) return supplied(authored, boundsDuration, 1);
  return boundsRange === undefined ? undefined : { isUnread: true };
}

/** From the earliest beginning to the latest end; without one where one of them has none. */
function joined(all: readonly Limits[]): Limits {
  const starts = all.flatMap(({ start }) => start ?? []);
  const ends = all.flatMap(({ end }) => end ?? []);
  const [start] = starts.length < all.length ? [] : starts.sort((one, other) => one.start - other.start);
  const [end] = ends.length < all.length ? [] : ends.sort((one, other) => other.end - one.end);
  return { ...(start && { start }), ...(end && { end }), isUnread: false };
}

function periodLimits({ rangeOf }: ExtractionContext, period: Period | undefined): Limits {
  const [start, end] = [rangeOf(period?.start), rangeOf(period?.end)];
  const isUnread =
    (period?.start !== undefined && start === undefined) || (period?.end !== undefined && end === undefined);
  return { ...(start && { start }), ...(end && { end }), isUnread };
}

/** As long as the supply lasts, from the time at which it is written or handed out. */
function supplied(
  from: InstantRange | undefined,
  { value, system, code, comparator }: Duration,
  times: number,
): Limits {
  const conversion =
    system === 'http://unitsofmeasure.org' && code !== undefined ? unitConversion(code, 'ms') : undefined;
  if (conversion === undefined || 'refused' in conversion || comparator !== undefined) return { isUnread: true };
  if (from === undefined || value === undefined || !(value > 0)) return { isUnread: true };
  const lengthMs = value * conversion.factor * times;
  return { start: from, end: { start: from.start + lengthMs, end: from.end + lengthMs }, isUnread: false };
}
