import type { DiagnosticReport, Observation, ObservationComponent, Quantity } from '@medplum/fhirtypes';
import fc from 'fast-check';
import type {
  AnswerDefinition,
  CategoryDefinition,
  ObservationDefinition,
  SequenceDefinition,
  TextDefinition,
} from '../../src/model-catalog/feature-map-schema.ts';
import {
  among,
  codingOf,
  encounterReference,
  instants,
  local,
  modifierExtension,
  mostly,
  periods,
  seldom,
  subject,
  terminology,
  times,
  under,
} from './arbitrary-terms.ts';
import type { Measure } from './measures-of.ts';
import { asSent, spoilers } from './re-express.ts';

type Observed = ObservationDefinition | SequenceDefinition | AnswerDefinition | CategoryDefinition | TextDefinition;

const effective = among(
  [12, under('effectiveDateTime', times)],
  [1, under('effectiveInstant', instants)],
  [2, under('effectivePeriod', periods)],
  [1, fc.constantFrom({}, { effectiveTiming: { event: ['2026-02-20T08:00:00Z'] } })],
);

/**
 * Observations that a feature reads, and what looks like them: under each of its codes, as components of its panels, with
 * values that it understands and others.
 * @param measures by code
 */
export function arbitraryObservation(
  definition: Observed,
  measures: ReadonlyMap<string, Measure>,
): fc.Arbitrary<Observation> {
  const { codes = [], component } = definition;
  const own = codes.map((code) => observationAs(code, contentOf(definition, measures.get(code))));
  if (component === undefined) return fc.oneof(...own);
  const said = contentOf(definition, measures.get(component.codes[0] ?? ''));
  // The value once, several times or not at all, and sometimes a value of the panel's own.
  const part = fc
    .record({ token: mostly(2, component.codes, ['http://loinc.org|8462-4']), said, modifierExtension })
    .map(({ token, said, ...rest }) =>
      asSent<ObservationComponent>({ code: { coding: [codingOf(token)] }, ...rest, ...said }),
    );
  const content = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), seldom(4, said))
    .map(([parts, value]) => ({ component: parts, ...value }));
  const panels = [...component.panels, ...codes].map((code) => observationAs(code, content));
  return fc.oneof(...own, ...panels);
}

/** The code stands alone, or before or behind one that nobody knows. */
function observationAs(token: string, content: fc.Arbitrary<object>): fc.Arbitrary<Observation> {
  const coding = codingOf(token);
  const shared = {
    status: mostly(6, ['final', 'amended', 'corrected'], ['preliminary', 'cancelled', 'entered-in-error', 'unknown']),
    code: mostly(4, [{ coding: [coding] }], [{ coding: [local, coding] }, { coding: [coding, { code: '1' }, local] }]),
    issued: seldom(4, instants),
    focus: seldom(25, fc.constantFrom([{ reference: 'Patient/2' }], [subject], [{ display: 'the child' }])),
    encounter: encounterReference,
    specimen: mostly(1, [{ reference: 'Specimen/one' }], [{ reference: 'Specimen/two' }, undefined]),
    modifierExtension,
  };
  return fc
    .tuple(fc.record(shared), content, effective)
    .map((parts) => asSent({ resourceType: 'Observation', subject, ...Object.assign({}, ...parts) }));
}

const unsaid: fc.Arbitrary<object> = fc.constantFrom<object>(
  { valueString: '<5' },
  { valueString: 'no' },
  { valueBoolean: true },
  { dataAbsentReason: { text: 'not asked' } },
  { dataAbsentReason: terminology('data-absent-reason')('not-performed') },
);

/** What an Observation or a component says: a value of the feature, or something in its place. */
function contentOf(definition: Observed, measure: Measure | undefined): fc.Arbitrary<object> {
  const numbers = measure === undefined ? [] : numbersOf(measure);
  const coded = definition.kind === 'text' ? textsOf(definition) : answersOf(definition);
  const given = [...numbers, ...coded];
  const [first] = given;
  if (first === undefined) return unsaid;
  const value = given.length === 1 ? first : fc.oneof(...given);
  const contradicted = value.map((said) => ({ ...said, dataAbsentReason: { text: 'error' } }));
  return among([16, value], [2, unsaid], [1, contradicted]);
}

function numbersOf(measure: Measure): fc.Arbitrary<object>[] {
  const { strings, integers, ratios, units } = measure;
  const quantities = under('valueQuantity', quantityOf(measure));
  const spelt = units.filter((unit) => unit.spelt);
  const texts = fc
    .tuple(
      valueIn(measure),
      fc.constantFrom(...(spelt.length === 0 ? units : spelt)),
      fc.constantFrom('', '', '<', '> '),
    )
    .chain(([value, { code, size, offset }, sign]) => {
      const number = String(Number(((value - offset) / size).toPrecision(9)));
      return fc.constantFrom(`${sign}${number} ${code}`, `${sign}${number} ${code}`, `${sign}${number}`, `${number},5`);
    });
  return [
    quantities,
    ...(strings === undefined ? [] : [under('valueString', texts)]),
    ...(integers === undefined ? [] : [under('valueInteger', valueIn(measure).map(Math.round))]),
    ...(ratios === undefined ? [] : [under('valueRatio', ratioOf(measure))]),
  ];
}

/** A value in the measure's own unit: few different ones, seldom close to an end of what is plausible, or beyond. */
function valueIn({ plausible: [low, high] }: Measure): fc.Arbitrary<number> {
  const inside = (part: number): number => Number((low + part * (high - low)).toPrecision(4));
  return mostly(
    6,
    [inside(0.04), inside(0.1)],
    [inside(0.0025), inside(0.9999), inside(1.01), low - (high - low) / 99],
  );
}

/** @returns a quantity in one of the measure's units, now and then spoilt */
export function quantityOf(measure: Measure): fc.Arbitrary<Quantity> {
  const { units } = measure;
  const unit = among([3, fc.constantFrom(...units.slice(0, 1))], [1, fc.constantFrom(...units)]);
  const spoil = mostly(8, [(quantity: Quantity) => quantity], spoilers);
  return fc
    .tuple(valueIn(measure), unit, spoil)
    .map(([value, { code, size, offset }, spoiled]) =>
      spoiled({ value: (value - offset) / size, unit: code, system: 'http://unitsofmeasure.org', code }),
    );
}

function ratioOf(measure: Measure): fc.Arbitrary<object> {
  const { ratios, units } = measure;
  if (ratios === 'titer') return valueIn(measure).map((value) => ({ numerator: { value: 1 }, denominator: { value } }));
  const halves = units.filter(({ code }) => /^m?g\/(g|mmol)$/.test(code));
  const [own] = units;
  const unit = fc.constantFrom(...(halves.length > 0 || own === undefined ? halves : [own]));
  return fc.tuple(valueIn(measure), unit, fc.constantFrom(1, 10)).map(([value, { code, size, offset }, below]) => {
    const [above = '', under = ''] = code.split('/');
    const system = 'http://unitsofmeasure.org';
    return {
      numerator: { value: ((value - offset) / size) * below, system, code: above, unit: above },
      denominator: { value: below, system, code: under },
    };
  });
}

/** Reports that a feature reads, and what looks like them. */
export function arbitraryReport(definition: TextDefinition): fc.Arbitrary<DiagnosticReport> {
  const { codes = [] } = definition;
  const said = fc.oneof(
    { weight: 8, arbitrary: under('conclusion', arbitraryText(definition)) },
    { weight: 2, arbitrary: fc.constantFrom<object>({}, { presentedForm: [{ title: 'a document' }] }) },
  );
  const time = among(
    [12, under('effectiveDateTime', times)],
    [2, under('effectivePeriod', periods)],
    [1, fc.constant({})],
  );
  return fc
    .tuple(
      fc.record({
        code: mostly<DiagnosticReport['code']>(
          6,
          codes.map((code) => ({ coding: [codingOf(code)] })),
          [{ coding: [local] }, { text: 'radiograph' }],
        ),
        status: mostly(6, ['final', 'amended', 'appended'], ['preliminary', 'partial', 'entered-in-error', 'unknown']),
        issued: seldom(4, instants),
        modifierExtension,
      }),
      said,
      time,
    )
    .map((parts) => asSent({ resourceType: 'DiagnosticReport', subject, ...Object.assign({}, ...parts) }));
}

/** Few different texts, some of them the same but for white space or the form of a letter, and what is none. */
function arbitraryText({ maxLength }: TextDefinition): fc.Arbitrary<string> {
  return mostly(
    8,
    [
      'short of breath',
      'short  of breath ',
      'Pe\u0301',
      'P\u00e9',
      `${'long '.repeat(maxLength)}1`,
      '\u{1f642}'.repeat(maxLength + 1),
    ],
    [' ', '\u200b', '<p>pain</p>', 'lost \ufffd', '\ud83d', 'bell \u0007'],
  );
}

function textsOf(definition: TextDefinition): fc.Arbitrary<object>[] {
  const texts = arbitraryText(definition);
  const concepts = texts.map((text) => ({ text, coding: [local] }));
  return [
    under('valueString', texts),
    ...(definition.codedAnswers === undefined ? [] : [under('valueCodeableConcept', concepts)]),
  ];
}

/** Coded and boolean answers: those of the feature, unknown ones of its systems and of others, and two at once. */
function answersOf(definition: Exclude<Observed, TextDefinition>): fc.Arbitrary<object>[] {
  if (definition.kind === 'observation' || definition.kind === 'sequence') return [];
  const lists =
    definition.kind === 'answer'
      ? [definition.yes ?? [], definition.no ?? []]
      : Object.values(definition.levels).filter((codes) => codes.length > 0);
  const said = lists.flat().map(codingOf);
  const [first, ...others] = said;
  const booleans = fc.constantFrom({ valueBoolean: true }, { valueBoolean: false });
  const withBooleans = definition.kind === 'answer' && definition.trueMeans !== undefined ? [booleans] : [];
  if (first === undefined) return withBooleans;
  const unknown = { system: first.system, code: '1' };
  const concepts = mostly<object>(
    6,
    [...said, ...said].map((coding, index) => ({ coding: index < said.length ? [coding] : [local, coding] })),
    [
      { coding: [unknown] },
      { coding: [local] },
      { text: 'quit long ago' },
      { coding: [first, others.at(-1) ?? first] },
    ],
  );
  return [under('valueCodeableConcept', concepts), ...withBooleans];
}
