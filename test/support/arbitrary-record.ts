import type {
  CodeableConcept,
  Condition,
  Encounter,
  Medication,
  MedicationRequest,
  Observation,
  ObservationComponent,
  Patient,
  Quantity,
} from '@medplum/fhirtypes';
import fc from 'fast-check';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import { asSent, type Measure, measures, spoilers } from './re-express.ts';

/**
 * Hostile records of Patient/1 for the bundled feature maps: legal R4, but as real servers leave it. Few different times
 * and values are drawn, so that resources often meet at the newest instant.
 */

/** As-of of every generated record. */
export const asOf = new Date('2026-03-01T12:00:00Z');

const subject = { reference: 'Patient/1' };
const loinc = 'http://loinc.org';
const snomed = 'http://snomed.info/sct';
const icd10 = 'http://hl7.org/fhir/sid/icd-10-cm';
const rxnorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const local = { system: 'http://example.org/local', code: 'X1', display: 'A local name' };

const coded = (system: string, code: string, display?: string): CodeableConcept => ({
  coding: [{ system, code, ...(display === undefined ? {} : { display }) }],
});
const terminology = (system: string) => (code: string) =>
  coded(`http://terminology.hl7.org/CodeSystem/${system}`, code);

/** Each with its weight. */
const among = <T>(...choices: [weight: number, arbitrary: fc.Arbitrary<T>][]): fc.Arbitrary<T> =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
const mostly = <T>(weight: number, usual: readonly T[], rare: readonly T[]): fc.Arbitrary<T> =>
  among([weight, fc.constantFrom(...usual)], [1, fc.constantFrom(...rare)]);
/** One in so many is drawn, the others are undefined. */
const seldom = <T>(oneIn: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  among([oneIn - 1, fc.constant<T | undefined>(undefined)], [1, arbitrary]);
const under = (key: string, arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
  arbitrary.map((value) => ({ [key]: value }));

/** The first two name one instant, the third is the day around it. */
const usualTimes = ['2026-02-20T08:00:00Z', '2026-02-20T10:00:00+02:00', '2026-02-20', '2025-11-05T07:30:00.250-05:00'];
const rareTimes = ['2026', '2026-03', '2026-02', '2025-11', '2024', '2022-05-05', '2026-03-01', '2026-03-01T12:00:00Z'];
const tooOld = ['2020-12-31T10:00:00Z', '2015'];
/** After as-of, to the second, the day, the month and the year, in every zone to the west of Kiritimati. */
const futureInstants = ['2026-03-01T12:00:01Z', '2026-03-01T14:00:00.001+02:00', '2026-07-01T00:00:00-05:00'];
const futureTimes = [...futureInstants, '2026-03-02', '2026-04', '2027'];
const times = mostly(6, usualTimes, [...rareTimes, ...tooOld, ...futureTimes]);
const instants = mostly(6, ['2026-02-20T09:00:00Z', '2025-11-06T07:30:00.250-05:00'], futureInstants);
const periods = fc.tuple(times, seldom(2, times)).map(([start, end]) => ({ start, end }));
const modifierExtension = seldom(40, fc.constant([{ url: 'http://example.org/not', valueBoolean: true }]));

function quantityOf({ units, values }: Measure): fc.Arbitrary<Quantity> {
  const unit = among([3, fc.constant(units[0])], [1, fc.constantFrom(...units)]);
  const spoil = mostly(8, [(quantity: Quantity) => quantity], spoilers);
  return fc.tuple(mostly(6, values.usual, values.rare), unit, spoil).map(([value, to, spoiled]) => {
    const { code, size } = to ?? { code: '', size: 1 };
    return spoiled({ value: value / size, unit: code, system: 'http://unitsofmeasure.org', code });
  });
}

/** What an Observation or a component says: a quantity, or something in its place. */
function answerOf(measure: Measure): fc.Arbitrary<object> {
  const valueQuantity = quantityOf(measure);
  return among(
    [14, under('valueQuantity', valueQuantity)],
    [1, fc.constant({ valueString: '<5' })],
    [1, fc.constant({ dataAbsentReason: terminology('data-absent-reason')('not-performed') })],
    [1, fc.record({ valueQuantity, dataAbsentReason: fc.constant({ text: 'error' }) })],
  );
}

const effective = among(
  [12, under('effectiveDateTime', times)],
  [1, under('effectiveInstant', instants)],
  [2, under('effectivePeriod', periods)],
  [1, fc.constantFrom({}, { effectiveTiming: { event: ['2026-02-20T08:00:00Z'] } })],
);

/** The code stands alone, or before or behind one that nobody knows. */
function observationAs(known: string, content: fc.Arbitrary<object>): fc.Arbitrary<Observation> {
  const coding = { system: loinc, code: known };
  const shared = {
    status: mostly(6, ['final', 'amended', 'corrected'], ['preliminary', 'cancelled', 'entered-in-error', 'unknown']),
    code: mostly(4, [{ coding: [coding] }], [{ coding: [local, coding] }, { coding: [coding, { code: '1' }, local] }]),
    issued: seldom(4, instants),
    focus: seldom(25, fc.constantFrom([{ reference: 'Patient/2' }], [subject], [{ display: 'the child' }])),
    modifierExtension,
  };
  return fc
    .tuple(fc.record(shared), content, effective)
    .map((parts) => asSent({ resourceType: 'Observation', subject, ...Object.assign({}, ...parts) }));
}

const measured = fc.oneof(
  ...measures.flatMap((measure) => measure.codes.map((code) => observationAs(code, answerOf(measure)))),
);

/** The systolic pressure once, several times or not at all, and sometimes a value of the panel's own. */
const panel = fc.oneof(
  ...measures
    .filter(({ codes }) => codes.includes('8480-6'))
    .flatMap((systolic) => {
      const part = fc
        .record({ code: fc.constantFrom('8480-6', '8480-6', '8462-4'), said: answerOf(systolic), modifierExtension })
        .map(({ code, said, ...rest }) => asSent<ObservationComponent>({ code: coded(loinc, code), ...rest, ...said }));
      const parts = fc.array(part, { minLength: 1, maxLength: 3 });
      const content = fc.tuple(parts, seldom(4, answerOf(systolic))).map(([component, own]) => ({ component, ...own }));
      return ['85354-9', '55284-4', '8480-6'].map((code) => observationAs(code, content));
    }),
);

const smokes = { system: snomed, code: '449868002' };
const neverSmoked = { system: snomed, code: '266919005' };
const smoking = observationAs(
  '72166-2',
  mostly<object>(
    3,
    [{ valueCodeableConcept: { coding: [smokes] } }, { valueCodeableConcept: { coding: [local, neverSmoked] } }],
    [
      { valueCodeableConcept: { coding: [neverSmoked, { system: loinc, code: 'LA18976-3' }] } },
      { valueCodeableConcept: { text: 'quit long ago' } },
      { valueCodeableConcept: coded(snomed, '1') },
      { valueString: 'no' },
      { valueCodeableConcept: { coding: [smokes] }, dataAbsentReason: { text: 'asked, no answer' } },
      { dataAbsentReason: { text: 'not asked' } },
    ],
  ),
);

const diagnosis: fc.Arbitrary<Condition> = fc
  .tuple(
    fc.record({
      code: mostly<CodeableConcept | undefined>(
        10,
        [
          coded(snomed, '38341003', 'Hypertension'),
          { coding: [local, { system: icd10, code: 'J06.9', display: 'Acute infection' }] },
          coded(snomed, '44054006', 'Diabetes type 2'),
          { coding: [local, { system: icd10, code: 'I25.2' }] },
        ],
        [coded(snomed, '1', 'Diabetic foot'), coded(snomed, '2'), { text: 'stroke?' }, { coding: [local] }, undefined],
      ),
      verificationStatus: mostly(10, ['confirmed'], ['refuted', 'entered-in-error', 'provisional']).map(
        terminology('condition-ver-status'),
      ),
      clinicalStatus: mostly(6, ['active'], ['resolved', 'remission']).map(terminology('condition-clinical')),
      recordedDate: seldom(2, times),
      meta: seldom(4, under('lastUpdated', instants)),
      modifierExtension,
    }),
    among(
      [6, under('onsetDateTime', times)],
      [1, under('onsetPeriod', periods)],
      [2, fc.constantFrom<object>({}, { onsetAge: { value: 40 } }, { onsetString: 'youth' })],
    ),
    among([8, fc.constant({})], [1, under('abatementDateTime', times)], [1, under('abatementPeriod', periods)]),
  )
  .map((parts) => asSent({ resourceType: 'Condition', subject, ...Object.assign({}, ...parts) }));

const statin = coded(rxnorm, '617310', 'a statin');
const thiazide = coded(rxnorm, '316049', 'a thiazide');
const syrup = coded(rxnorm, '1', 'a cough syrup');
const medications: readonly Medication[] = [
  { resourceType: 'Medication', id: 'statin', code: statin },
  { resourceType: 'Medication', id: 'thiazide', code: thiazide },
  { resourceType: 'Medication', id: 'syrup', code: syrup },
  { resourceType: 'Medication', id: 'wrong', code: syrup, status: 'entered-in-error' },
];
const referred = [
  'Medication/statin',
  'Medication/thiazide',
  'urn:uuid:syrup',
  'Medication/wrong',
  'Medication/nowhere',
];

const order: fc.Arbitrary<MedicationRequest> = fc
  .tuple(
    fc.record({
      status: mostly(4, ['active'], ['completed', 'stopped', 'draft', 'entered-in-error', 'unknown']),
      intent: mostly(10, ['order'], ['plan', 'proposal', 'option']),
      doNotPerform: seldom(20, fc.constant(true)),
      authoredOn: among<string | undefined>([8, times], [1, fc.constant(undefined)]),
      modifierExtension,
    }),
    among<object>(
      [6, under('medicationCodeableConcept', fc.constantFrom(statin, thiazide, syrup))],
      [4, fc.constantFrom(...referred).map((reference) => ({ medicationReference: { reference } }))],
      [1, fc.constant({ medicationCodeableConcept: { text: 'Lipitor 20' } })],
      [
        1,
        fc.constantFrom(statin, syrup).map((code) => ({
          contained: [{ resourceType: 'Medication', id: 'inside', code }],
          medicationReference: { reference: '#inside' },
        })),
      ],
    ),
  )
  .map((parts) => asSent({ resourceType: 'MedicationRequest', subject, ...Object.assign({}, ...parts) }));

const encounter: fc.Arbitrary<Encounter> = fc
  .record({
    status: mostly(4, ['finished', 'in-progress'], ['planned', 'cancelled', 'entered-in-error']),
    period: among([6, periods], [1, fc.constant(undefined)]),
    modifierExtension,
  })
  .map((parts) => asSent({ resourceType: 'Encounter', subject, class: { code: 'AMB' }, ...parts }));

const omb = (code: string) => ({
  url: 'ombCategory',
  valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code },
});
const raceExtension = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race';
const patient: fc.Arbitrary<Patient> = fc.record({
  resourceType: fc.constant('Patient'),
  id: fc.constant('1'),
  gender: mostly<Patient['gender']>(6, ['female', 'male'], ['other', 'unknown', undefined]),
  birthDate: mostly(6, ['1970-06-15', '1960-02-29', '1961-03-01'], ['1970', '1961-03', '2026-03-02', undefined]),
  extension: mostly(3, [['2106-3'], ['2054-5']], [undefined, ['2106-3', '2054-5'], ['2028-9']]).map((races) =>
    races === undefined ? undefined : [{ url: raceExtension, extension: races.map(omb) }],
  ),
});

/** One resource of the subject, of whatever type but Patient and Medication, without an id. */
export const arbitraryResource = fc.oneof(
  { weight: 8, arbitrary: measured },
  { weight: 3, arbitrary: panel },
  { weight: 2, arbitrary: smoking },
  { weight: 3, arbitrary: diagnosis },
  { weight: 3, arbitrary: order },
  { weight: 3, arbitrary: encounter },
);

/** A whole record, the Patient first; `named` gives an id to every resource, else to none but those that others refer to. */
export function arbitraryRecord({ named }: { readonly named: boolean }): fc.Arbitrary<RecordResource[]> {
  const resources = fc.array(arbitraryResource, { minLength: 4, maxLength: 18, size: 'max' });
  return fc.tuple(patient, fc.subarray([...medications]), resources).map(([person, drugs, others]) => {
    const identified = named ? others.map((resource, index) => ({ ...resource, id: `r${index}` })) : others;
    return [asSent<Patient>(person), ...drugs, ...identified];
  });
}

const before = '2026-02-20T08:00:00Z';
const noTime = {
  effectiveDateTime: undefined,
  effectiveInstant: undefined,
  effectivePeriod: undefined,
  effectiveTiming: undefined,
};
const undated = { onsetDateTime: undefined, onsetPeriod: undefined, onsetAge: undefined, onsetString: undefined };

/** The changes by which the rules of the language leave a resource of any content out of every reading. */
export function formsLeftOut({ resourceType }: RecordResource): object[] {
  const withStatus = (...statuses: string[]) => statuses.map((status) => ({ status }));
  switch (resourceType) {
    case 'Observation':
      return [
        ...withStatus('entered-in-error', 'preliminary', 'registered', 'cancelled'),
        { focus: [{ reference: 'Patient/2' }] },
        ...futureInstants.flatMap((at) => [{ issued: at }, { ...noTime, effectiveInstant: at }]),
        ...futureTimes.flatMap((at) => [
          { ...noTime, effectiveDateTime: at },
          { ...noTime, effectivePeriod: { start: at } },
          { ...noTime, effectivePeriod: { start: before, end: at } },
          { ...noTime, effectivePeriod: { end: at } },
        ]),
      ];
    case 'Condition':
      // Not one that began before as-of and was recorded later, and none with an unknown modifier, whose very status may
      // mean something else: both are reasons by the rules of the language.
      return [
        { verificationStatus: terminology('condition-ver-status')('entered-in-error') },
        ...futureTimes.flatMap((at) => [
          { ...undated, onsetDateTime: at },
          { ...undated, onsetPeriod: { start: at } },
          { ...undated, recordedDate: at },
        ]),
      ].map((form) => ({ ...form, modifierExtension: undefined }));
    case 'MedicationRequest':
      return [
        ...withStatus('entered-in-error', 'draft', 'cancelled'),
        { intent: 'proposal' },
        ...futureTimes.map((authoredOn) => ({ authoredOn })),
      ];
    default:
      return [
        ...withStatus('entered-in-error', 'planned', 'cancelled'),
        ...futureTimes.flatMap((start) => [{ period: { start } }, { period: { start, end: before } }]),
      ];
  }
}
