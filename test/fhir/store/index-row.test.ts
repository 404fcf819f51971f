import type { Observation } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { indexRow } from '../../../src/fhir/store/index-row.ts';

test('a Timing is found between its first and its last event, however many there are', () => {
  const event = new Array<string>(200_000).fill('2024-05-17T08:00:00Z');
  event[7] = '2024-01-01T00:00:00Z';
  event[199_999] = '2025-01-01T00:00:00Z';
  const observation: Observation = {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: {},
    effectiveTiming: { event },
  };
  const { date } = indexRow(observation, 'http://127.0.0.1/fhir', 'UTC');
  expect(date?.start?.toISOString()).toBe('2024-01-01T00:00:00.000Z');
  expect(date?.end?.toISOString()).toBe('2025-01-01T00:00:01.000Z');
});
