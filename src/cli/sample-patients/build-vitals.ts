import type { Observation } from '@medplum/fhirtypes';
import {
  buildObservation,
  type LoincCode,
  loincConcept,
  type ObservationContent,
  quantity,
} from './build-observation.ts';
import { clamped } from './clamped.ts';
import type { Person } from './draw-person.ts';
import type { Visit } from './draw-visits.ts';
import type { RandomStream } from './random-stream.ts';
import type { NextId } from './resource-identity.ts';
import { rounded } from './rounded.ts';
import { dayMs, minuteMs } from './sample-time.ts';

const systolic: LoincCode = { code: '8480-6', display: 'Systolic blood pressure' };
const diastolic: LoincCode = { code: '8462-4', display: 'Diastolic blood pressure' };
const height: LoincCode = { code: '8302-2', display: 'Body height' };
const weight: LoincCode = { code: '29463-7', display: 'Body weight' };
const bodyMassIndex: LoincCode = { code: '39156-5', display: 'Body mass index (BMI) [Ratio]' };
const heartRate: LoincCode = { code: '8867-4', display: 'Heart rate' };
const smokingStatus: LoincCode = { code: '72166-2', display: 'Tobacco smoking status' };
const panels = {
  'panel-85354-9': { code: '85354-9', display: 'Blood pressure panel with all children optional' },
  'panel-55284-4': { code: '55284-4', display: 'Blood pressure systolic and diastolic' },
} as const;

/** How a site writes blood pressure: one of two panels, or two Observations that stand alone. */
type BloodPressureStyle = keyof typeof panels | 'stand-alone';

const smokingAnswers = {
  daily: { code: '449868002', display: 'Smokes tobacco daily' },
  former: { code: '8517006', display: 'Former smoker' },
  never: { code: '266919005', display: 'Never smoked tobacco' },
  unknown: { code: '266927001', display: 'Tobacco smoking consumption unknown' },
} as const;

/** Blood pressure, pulse, body measures and the smoking answer of every visit that takes them. */
export function buildVitals(
  person: Person,
  visits: readonly Visit[],
  random: RandomStream,
  nextId: NextId,
): Observation[] {
  const showcase = person.situations.has('showcase');
  const style = drawStyle(random, showcase);
  const bodyMassIndexRecorded = random.chance(0.94) || showcase;
  const smokingAsked = random.chance(0.95) || showcase || person.situations.has('smoking-unknown');
  const measured = visits.filter((visit) => visit.vitals);
  const vitals: Observation[] = [];
  for (const [index, visit] of measured.entries()) {
    const newest = index === measured.length - 1;
    const content = vitalContent(visit);
    const add = (fields: Pick<ObservationContent, 'code' | 'quantity'>) =>
      vitals.push(buildObservation(person, nextId, { ...content, ...fields }));

    vitals.push(...bloodPressure(person, nextId, style, content, drawPressure(person, random, newest)));
    add({ code: heartRate, quantity: quantity(Math.round(random.normal(person.heartRatePerMinute, 4)), '/min') });

    const heightCm = rounded(person.heightCm, 1);
    const driftPerVisit = 0.15 * (measured.length - 1 - index);
    const usualIndex = person.bodyMassIndex - driftPerVisit;
    const weightKg = rounded((usualIndex * heightCm * heightCm) / 10_000 + random.normal(0, 0.8), 1);
    if (index % 3 === 0 || newest) add({ code: height, quantity: quantity(heightCm, 'cm') });
    add({ code: weight, quantity: quantity(weightKg, 'kg') });
    const ratio = rounded((weightKg * 10_000) / (heightCm * heightCm), 1);
    if (bodyMassIndexRecorded) add({ code: bodyMassIndex, quantity: quantity(ratio, 'kg/m2') });
    if (smokingAsked && (index % 2 === 0 || newest)) vitals.push(smokingAnswer(person, nextId, content, newest));
  }
  if (person.situations.has('entered-in-error')) vitals.push(...absurdPressure(person, nextId, style, measured));
  if (person.situations.has('cancelled')) vitals.push(...cancelledPressure(person, nextId, measured));
  return vitals;
}

function drawStyle(random: RandomStream, showcase: boolean): BloodPressureStyle {
  const style = random.uniform();
  if (style < 0.68 || showcase) return 'panel-85354-9';
  return style < 0.85 ? 'panel-55284-4' : 'stand-alone';
}

function vitalContent(visit: Visit): ObservationContent {
  const effectiveMs = visit.startMs + 5 * minuteMs;
  return {
    category: 'vital-signs',
    code: heartRate,
    effectiveMs,
    issuedMs: effectiveMs + 3 * minuteMs,
    encounterId: visit.encounterId,
  };
}

interface Pressure {
  readonly systolic: number;
  readonly diastolic: number;
}

function drawPressure(person: Person, random: RandomStream, newest: boolean): Pressure {
  const noise = random.normal(0, newest && person.situations.has('showcase') ? 0.5 : 5);
  const systolicValue = Math.round(clamped(person.systolicMmHg + noise, 92, 214));
  return {
    systolic: systolicValue,
    diastolic: Math.round(clamped(person.diastolicMmHg + noise * 0.5, 45, systolicValue - 20)),
  };
}

function bloodPressure(
  person: Person,
  nextId: NextId,
  style: BloodPressureStyle,
  content: ObservationContent,
  pressure: Pressure,
): Observation[] {
  const values = [
    { code: systolic, quantity: quantity(pressure.systolic, 'mm[Hg]') },
    { code: diastolic, quantity: quantity(pressure.diastolic, 'mm[Hg]') },
  ];
  if (style === 'stand-alone') return values.map((value) => buildObservation(person, nextId, { ...content, ...value }));
  const components = values.map((value) => ({ code: loincConcept(value.code), valueQuantity: value.quantity }));
  return [buildObservation(person, nextId, { ...content, code: panels[style], components })];
}

function smokingAnswer(person: Person, nextId: NextId, content: ObservationContent, newest: boolean): Observation {
  const unknown = newest && person.situations.has('smoking-unknown');
  const answer = smokingAnswers[unknown ? 'unknown' : person.smoking];
  return buildObservation(person, nextId, {
    ...content,
    category: 'social-history',
    code: smokingStatus,
    answer: { coding: [{ system: 'http://snomed.info/sct', ...answer }], text: answer.display },
  });
}

/** Typed with a digit too many, a day after the newest real one, and withdrawn. */
function absurdPressure(
  person: Person,
  nextId: NextId,
  style: BloodPressureStyle,
  measured: readonly Visit[],
): Observation[] {
  const newest = measured.at(-1);
  if (newest === undefined) return [];
  const content = vitalContent(newest);
  const later = { effectiveMs: content.effectiveMs + dayMs, issuedMs: content.issuedMs + dayMs };
  const withdrawn = { ...content, ...later, status: 'entered-in-error' as const };
  return bloodPressure(person, nextId, style, withdrawn, { systolic: 1380, diastolic: 860 });
}

/** Planned a day after the newest real one, and not taken. */
function cancelledPressure(person: Person, nextId: NextId, measured: readonly Visit[]): Observation[] {
  const newest = measured.at(-1);
  if (newest === undefined) return [];
  const content = vitalContent(newest);
  return [
    buildObservation(person, nextId, {
      ...content,
      effectiveMs: content.effectiveMs + dayMs,
      issuedMs: content.issuedMs + dayMs,
      status: 'cancelled',
      code: panels['panel-85354-9'],
      dataAbsentReason: 'not-performed',
    }),
  ];
}
