import fc from 'fast-check';
import { DateTime, Duration } from 'luxon';
import { expect, test } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { prefetchTemplates } from '../../src/model-catalog/prefetch-templates.ts';
import { before } from '../../src/model-catalog/record-queries.ts';
import { noPopulation } from '../support/extract-one.ts';

test('a duration before an instant is that of the calendar in UTC, to the millisecond', () => {
  const instants = fc.date({ min: new Date('1950-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
  const count = fc.integer({ min: 0, max: 900 });
  const durations = fc.oneof(
    fc.tuple(count, fc.constantFrom('Y', 'M', 'W', 'D')).map(([number, unit]) => `P${number}${unit}`),
    fc.tuple(count, count).map(([months, days]) => `P${months}M${days}D`),
    fc.constantFrom('P1Y6M', 'P2Y3M2W1D', 'PT36H', 'P1DT12H', 'P1.5Y'),
  );
  fc.assert(
    fc.property(instants, durations, (instant, duration) => {
      const expected = DateTime.fromJSDate(instant, { zone: 'utc' }).minus(Duration.fromISO(duration)).toJSDate();
      expect(before(instant, duration).toISOString()).toBe(expected.toISOString());
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  ['2024-03-31T08:00:00.000Z', 'P1M', '2024-02-29T08:00:00.000Z'],
  ['2024-02-29T08:00:00.000Z', 'P1Y', '2023-02-28T08:00:00.000Z'],
])('%s less %s is %s', (instant, duration, expected) => {
  expect(before(new Date(instant), duration).toISOString()).toBe(expected);
});

test('what is read whole has a prefetch template, once for each type', () => {
  const during = { kind: 'procedure', label: 'any', during: 'encounter' } as const;
  const features: Record<string, FeatureDefinition> = {
    one: during,
    other: { ...during, label: 'other' },
    leadTime: { kind: 'appointment', label: 'lead time', pick: 'lead-time', per: 'd' },
    answer: {
      kind: 'questionnaire',
      label: 'answer',
      questionnaire: ['http://example.org/Questionnaire/q'],
      linkId: '1',
      window: 'P1Y',
      pick: 'latest',
      trueMeans: 'yes',
    },
    judgement: { kind: 'input', label: 'judgement', ask: 'Is it?' },
  };
  expect(prefetchTemplates({ language: 1, features, population: noPopulation }, [])).toEqual({
    patient: 'Patient/{{context.patientId}}',
    procedures: 'Procedure?patient={{context.patientId}}',
    appointments: 'Appointment?patient={{context.patientId}}',
    questionnaireResponses: 'QuestionnaireResponse?patient={{context.patientId}}',
    encounters: 'Encounter?patient={{context.patientId}}',
  });
});
