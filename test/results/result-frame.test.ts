import type { RiskAssessment } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { assertResultValid } from '../../src/results/assert-result-valid.ts';
import { createResultFrame } from '../../src/results/result-frame.ts';
import { buildRisk, resultRequest } from '../support/result-request.ts';

const { frame } = resultRequest();
const minutes = (count: number): Date => new Date(Date.UTC(2026, 2, 1, 9, count));

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

function text(result: RiskAssessment): string {
  return JSON.stringify(result);
}

test('results that share the frame of a model version are those that each would be alone, also after many others', () => {
  for (const timeZone of ['Europe/Berlin', 'UTC']) {
    for (const score of [0.147, 0.02, 3e-10, 1]) {
      for (let minute = 0; minute < 40; minute += 3) {
        const changes = { asOf: minutes(minute % 25), timeZone, scores: new Map([['ascvd-10y', score]]) };
        expect(text(buildRisk({ ...resultRequest(changes), frame }))).toBe(text(buildRisk(resultRequest(changes))));
      }
    }
  }
});

test('building and checking a result changes nothing that it shares with others', () => {
  const { model, features } = resultRequest();
  const shared = createResultFrame(model.manifest, features);
  const inputs = frozen([...shared.inputs.values()]);
  frozen(shared.outcomes.map(({ outcome, levels, ...parts }) => [parts, [...levels.values()]]));
  const request = { ...resultRequest(), frame: shared };
  const first = frozen(buildRisk(request));
  expect(() => assertResultValid(first, () => undefined)).not.toThrow();
  expect(text(buildRisk(request))).toBe(text(first));
  expect(inputs.length).toBe(shared.inputs.size);
});

test('an input that the frame does not know is refused', () => {
  const other = createResultFrame(resultRequest().model.manifest, {});
  expect(() => buildRisk({ ...resultRequest(), frame: other })).toThrow(
    expect.objectContaining({ code: 'RESULT_INVALID' }),
  );
});
