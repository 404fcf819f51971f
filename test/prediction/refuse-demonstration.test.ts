import { expect, test } from 'vitest';
import { refuseDemonstration } from '../../src/prediction/refuse-demonstration.ts';

const demo = { id: 'demo', version: '1.0.0', demonstration: true } as const;
const reaching = { writesDemonstrations: false };

test('a result of a demonstration model is not written where it reaches another server, and the error says the way out', () => {
  expect(() => refuseDemonstration(reaching, demo)).toThrow(
    expect.objectContaining({
      code: 'DEMONSTRATION_ONLY',
      message: expect.stringMatching(
        /demo@1\.0\.0.*FHIR_BASE_URL or SINKS_FILE.*Leave out writeBack.*DEMONSTRATION_MODELS=on/,
      ),
    }),
  );
});

test('it is written where nothing leaves the own store or the site has said so, and any other model is always', () => {
  expect(() => refuseDemonstration({ writesDemonstrations: true }, demo)).not.toThrow();
  expect(() => refuseDemonstration(reaching, { id: 'real', version: '1.0.0' })).not.toThrow();
});
