import type { QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

// As-of is 2026-03-01T12:00:00Z.
const url = 'http://example.org/fhir/Questionnaire/intake';
const local = 'http://example.org/answers';
const common = {
  kind: 'questionnaire',
  label: 'Score',
  questionnaire: [url],
  linkId: 'q',
  window: 'P90D',
  pick: 'latest',
};
const score = (parts: object = {}): FeatureDefinition =>
  ({
    ...common,
    unit: '{score}',
    plausible: [0, 27],
    numbers: { unit: '{score}', source: 'points' },
    ...parts,
  }) as FeatureDefinition;
const yesNo = (parts: object = {}): FeatureDefinition =>
  ({ ...common, yes: [`${local}|y`], no: [`${local}|n`], trueMeans: 'yes', ...parts }) as FeatureDefinition;
const coded = {
  ...common,
  vocabulary: { alone: [`${local}|a`], helped: [`${local}|h`, `${local}|c`] },
} as FeatureDefinition;

let sequence = 0;
function response(
  authored: string | undefined,
  item: QuestionnaireResponseItem[],
  parts: Partial<QuestionnaireResponse> = {},
): QuestionnaireResponse {
  sequence += 1;
  return {
    resourceType: 'QuestionnaireResponse',
    id: `qr-${sequence}`,
    status: 'completed',
    questionnaire: url,
    subject: { reference: 'Patient/1' },
    ...(authored === undefined ? {} : { authored }),
    item,
    ...parts,
  };
}
type Answer = NonNullable<QuestionnaireResponseItem['answer']>[number];
const q = (...answer: Answer[]): QuestionnaireResponseItem[] => [{ linkId: 'q', answer }];
const code = (value: string): Answer => ({ valueCoding: { system: local, code: value } });

describe('an answer to a question', () => {
  it('is the one of the newest response', () => {
    const both = [response('2026-02-01', q({ valueInteger: 4 })), response('2026-02-20', q({ valueDecimal: 7.5 }))];
    expect(extractOne(score(), both)).toMatchObject({ state: 'observed', value: 7.5, at: '2026-02-20' });
  });

  it('is found in groups and below other answers', () => {
    const nested: QuestionnaireResponseItem[] = [
      { linkId: 'group', item: [{ linkId: 'other', answer: [{ valueBoolean: true, item: q({ valueInteger: 3 }) }] }] },
    ];
    expect(extractOne(score(), [response('2026-02-01', nested)])).toMatchObject({ value: 3 });
  });

  it('is a yes, a no or a code, by the lists', () => {
    expect(extractOne(yesNo(), [response('2026-02-01', q(code('y')))])).toMatchObject({ value: true });
    expect(extractOne(yesNo(), [response('2026-02-01', q(code('n')))])).toMatchObject({ value: false });
    expect(extractOne(yesNo(), [response('2026-02-01', q({ valueBoolean: false }))])).toMatchObject({ value: false });
    expect(extractOne(coded, [response('2026-02-01', q(code('c')))])).toMatchObject({ value: 'helped' });
  });

  it('is converted from the unit of a quantity', () => {
    const weight = score({ unit: 'kg', plausible: [30, 300], numbers: undefined });
    const grams = { value: 80_000, system: 'http://unitsofmeasure.org', code: 'g' };
    expect(extractOne(weight, [response('2026-02-01', q({ valueQuantity: grams }))])).toMatchObject({
      value: 80,
      original: { value: 80_000, unit: 'g' },
    });
    expect(extractOne(weight, [response('2026-02-01', q({ valueInteger: 80 }))])).toMatchObject({
      because: 'unit-missing',
    });
  });

  it('is not an old one where the newest response leaves the question open', () => {
    const older = response('2026-02-01', q({ valueInteger: 4 }));
    for (const item of [[], q(), [{ linkId: 'q' }]])
      expect(extractOne(score(), [older, response('2026-02-20', item)])).toMatchObject({ because: 'not-found' });
  });

  it.each([
    ['outside the plausible range', score(), q({ valueInteger: 28 }), 'implausible'],
    ['a text', score(), q({ valueString: '4' }), 'not-numeric'],
    ['two different ones', score(), q({ valueInteger: 4 }, { valueInteger: 5 }), 'conflict'],
    ['two of a list that say different things', yesNo(), q(code('y'), code('n')), 'conflict'],
    ['in no list', yesNo(), q(code('x')), 'unrecognised-answer'],
    [
      'a boolean of which the map says nothing',
      yesNo({ trueMeans: undefined }),
      q({ valueBoolean: true }),
      'undecodable',
    ],
    ['a code without a system', yesNo(), q({ valueCoding: { code: 'y' } }), 'undecodable'],
    ['a text where a code is wanted', coded, q({ valueString: 'alone' }), 'undecodable'],
    [
      'in an item with an unknown modifier',
      score(),
      [{ linkId: 'q', answer: [{ valueInteger: 4 }], modifierExtension: [{ url: 'urn:x', valueBoolean: true }] }],
      'undecodable',
    ],
  ])('is a reason where it is %s', (_, definition, item, because) => {
    expect(extractOne(definition, [response('2026-02-01', item)])).toMatchObject({ state: 'missing', because });
  });

  it('is a conflict where two responses of one day differ', () => {
    const both = [response('2026-02-01', q({ valueInteger: 4 })), response('2026-02-01', q({ valueInteger: 5 }))];
    expect(extractOne(score(), both)).toMatchObject({ because: 'conflict', at: '2026-02-01' });
  });

  it.each([
    ['in progress', '2026-02-01', { status: 'in-progress' as const }],
    ['entered in error', '2026-02-01', { status: 'entered-in-error' as const }],
    ['of another questionnaire', '2026-02-01', { questionnaire: `${url}-2` }],
    ['of no named questionnaire', '2026-02-01', { questionnaire: undefined }],
    ['given after as-of', '2026-03-02', {}],
    ['too old', '2025-11-01', {}],
  ])('does not count in a response that is %s', (_, authored, parts) => {
    expect(extractOne(score(), [response(authored, q({ valueInteger: 4 }), parts)])).toMatchObject({
      because: 'not-found',
    });
  });

  it('is unknown while a response without a time may be the newest', () => {
    const sure = response('2026-02-01T10:00:00Z', q({ valueInteger: 4 }));
    const at = (lastUpdated: string) => response(undefined, q({ valueInteger: 9 }), { meta: { lastUpdated } });
    expect(extractOne(score(), [sure, response(undefined, q({ valueInteger: 9 }))])).toMatchObject({
      because: 'time-unknown',
    });
    expect(extractOne(score(), [sure, at('2026-02-10T00:00:00Z')])).toMatchObject({ because: 'time-unknown' });
    expect(extractOne(score(), [sure, at('2026-01-20T00:00:00Z')])).toMatchObject({ value: 4 });
    expect(extractOne(score(), [response('2025', q({ valueInteger: 9 }))])).toMatchObject({ because: 'time-unknown' });
  });

  it('is that of the version which the map names, and no other', () => {
    const second = score({ questionnaire: [`${url}|2`] });
    const of = (questionnaire: string) => response('2026-02-01', q({ valueInteger: 4 }), { questionnaire });
    expect(extractOne(second, [of(`${url}|2`)])).toMatchObject({ value: 4 });
    expect(extractOne(second, [of(`${url}|1`)])).toMatchObject({ because: 'not-found' });
    expect(extractOne(second, [of(url)])).toMatchObject({ because: 'time-unknown' });
    expect(extractOne(score(), [of(`${url}|1`)])).toMatchObject({ value: 4 });
  });
});

describe('the definition of a questionnaire feature', () => {
  it.each([
    [score({ plausible: undefined }), '/plausible'],
    [score({ trueMeans: 'yes' }), ''],
    [yesNo({ no: undefined }), '/no'],
    [yesNo({ no: [`${local}|y`] }), '/no'],
    [{ ...coded, vocabulary: { a: [`${local}|a`], b: [`${local}|a`] } } as FeatureDefinition, '/vocabulary'],
    [{ ...coded, vocabulary: undefined } as FeatureDefinition, ''],
  ])('is refused', (feature, path) => {
    const map = { language: 1 as const, features: { feature }, population: noPopulation };
    expect(checkFeatureMap(map, [])).toMatchObject([{ path: `/features/feature${path}` }]);
  });
});

describe('several responses that may be the newest', () => {
  it('are a doubt where one is known to the month only and may lie in the window', () => {
    const week = score({ window: 'P7D' });
    const both = [
      response('2026-02', q({ valueInteger: 9 })),
      response('2026-02-23T15:00:00Z', q({ valueInteger: 3 })),
    ];
    expect(extractOne(week, both)).toMatchObject({ because: 'time-unknown' });
  });

  it('give no answer where one of them leaves the question open', () => {
    const both = [response('2026-02-20', q({ valueInteger: 8 })), response('2026-02-20T15:00:00Z', q())];
    expect(extractOne(score(), both)).toMatchObject({ because: 'conflict' });
  });
});
