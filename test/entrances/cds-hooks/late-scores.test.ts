import { describe, expect, test } from 'vitest';
import { answerHook, type EarlierAsked, type HookEntrance } from '../../../src/entrances/cds-hooks/answer-hook.ts';
import { hookServices } from '../../../src/entrances/cds-hooks/hook-service.ts';
import { anyone } from '../../../src/http/principal.ts';
import { isServiceOff } from '../../../src/model-catalog/cds-services.ts';
import type { EarlierResult } from '../../../src/monitoring/earlier-result.ts';
import { inputHash } from '../../../src/monitoring/input-hash.ts';
import type { LogEvent } from '../../../src/platform/events.ts';
import type { PredictionOutcome } from '../../../src/prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../../../src/prediction/prediction-request.ts';
import { cdsResponseFindings } from '../../support/cds-response-checker.ts';
import { loadedVersions } from '../../support/loaded-versions.ts';
import { noReports } from '../../support/no-reports.ts';
import { scoredOutcome } from '../../support/prediction-outcome.ts';
import { type SwitchedModels, switchedModels } from '../../support/switched-models.ts';

const { inputs } = scoredOutcome();
const earlier: EarlierResult = {
  result: 'e'.repeat(64),
  asOf: new Date('2026-03-01T08:15:00Z'),
  card: '23f1a303-991f-4118-86c5-11d99a39222e',
  scores: { 'total-cvd-10y': 0.1234 },
  inputHash: inputHash(inputs),
  missing: { bodyMassIndex: 'imputed:not-found', egfr: 'as-missing:too-few', totalCholesterol: 'unit-unknown' },
  assumed: ['smoker'],
};
const never = new Promise<PredictionOutcome>(() => undefined);

interface LateCall {
  readonly reuse?: string;
  readonly fhirServer?: string;
  readonly userId?: string;
  readonly writesBack?: boolean;
  readonly ownStore?: boolean;
  /** What happens while the model is asked. */
  readonly predict?: (request: PredictionRequest, models: SwitchedModels) => Promise<PredictionOutcome>;
  readonly findEarlier?: () => Promise<EarlierResult | undefined>;
}

/** A call of a service whose score does not come in time, unless it is said to. */
async function lateCall({
  reuse = 'PT12H',
  fhirServer = 'https://ehr.example/fhir',
  userId = 'Practitioner/example',
  writesBack = false,
  ownStore = false,
  predict = () => never,
  findEarlier = async () => earlier,
}: LateCall = {}) {
  const models = switchedModels(
    loadedVersions({ '1.0.0': 'aa' }).map((version) => ({
      ...version,
      manifest: {
        ...version.manifest,
        cdsHooks: version.manifest.cdsHooks?.map((service) => (reuse === '' ? service : { ...service, reuse })),
      } as typeof version.manifest,
    })),
  );
  const events: LogEvent[] = [];
  const requests: PredictionRequest[] = [];
  const asked: EarlierAsked[] = [];
  const services = () => hookServices(models.catalog, [], false);
  const entrance: HookEntrance = {
    services,
    isOff: (each) => isServiceOff(models.catalog, each),
    predict: (request) => {
      requests.push(request);
      return predict(request, models);
    },
    findings: () => [],
    holdBack: async () => false,
    findEarlier: (question) => {
      asked.push(question);
      return findEarlier();
    },
    isOwnStore: () => ownStore,
    deadlineMs: 120,
    timeoutMs: 5_000,
    timeZone: 'Europe/Berlin',
    serverUrl: 'https://risk.example',
    newId: () => 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
    now: () => new Date(),
    reports: noReports,
  };
  const answer = await answerHook(entrance, {
    offered: services(),
    body: {
      hook: 'patient-view',
      hookInstance: '7b7c2f2c-3a55-4ac4-8f6f-0c1f3c2d9a11',
      ...(fhirServer === '' ? {} : { fhirServer }),
      context: { ...(userId === '' ? {} : { userId }), patientId: '17' },
      prefetch: { patient: { resourceType: 'Patient', id: '17' } },
    },
    requestId: 'request-1',
    principal: { ...anyone, cdsHooks: { ...anyone.cdsHooks, writesBack } },
    startedMs: performance.now(),
    givenUp: new AbortController().signal,
    event: (event) => events.push(event),
  });
  expect(cdsResponseFindings(answer)).toEqual([]);
  const [card] = answer.cards;
  const prediction = card?.extension['org.fhirsight.prediction'];
  return { card, prediction, asked, requests, events: events.map(({ name }) => name) };
}

describe('a score that is late', () => {
  test('is told by an earlier one, with its time and that newer data were not checked', async () => {
    const { card, prediction, asked, events } = await lateCall();
    expect(card?.summary).toMatch(/^As of 2026-03-01 09:15: 12\.3 % .*AHA PREVENT/);
    expect(card?.detail).toContain('**Newer data not checked.**');
    expect(card?.detail).toContain('as of 2026-03-01T09:15');
    expect(card?.uuid).toBe(earlier.card);
    expect(prediction).toMatchObject({
      state: 'scored',
      score: 0.1234,
      result: earlier.result,
      earlier: 'newer-data-not-checked',
    });
    expect(events).toEqual(['cds-hook.late']);
    expect(asked).toEqual([
      {
        callerKey: 'anyone',
        user: 'Practitioner/example',
        service: 'prevent-base',
        base: 'https://ehr.example/fhir',
        subject: '17',
        encounter: undefined,
        focus: undefined,
        model: 'prevent-base',
        digest: 'aa',
        validFor: expect.any(String),
        reusedForMs: 43_200_000,
      },
    ]);
  });

  test('says what the earlier number rests on, as the log has it', async () => {
    const { card } = await lateCall();
    expect(card?.detail).toContain('- AI-generated, preliminary: not verified by a person.');
    for (const line of [
      /- Imputed: .+ \(not-found\)\./,
      /- Missing: .+ \(unit-unknown\)\./,
      /- Missing: .+ \(too-few\)\./,
      /- Assumed absent: .+\./,
      /- What else it said then/,
    ])
      expect(card?.detail).toMatch(line);
  });

  test('needs no such warning where the inputs of now are the same', async () => {
    const { card, prediction } = await lateCall({
      predict: (request) => {
        request.inputsRead?.(inputs);
        return never;
      },
    });
    expect(prediction).toMatchObject({ state: 'scored', earlier: 'same-inputs' });
    expect(card?.detail).not.toContain('not checked');
    expect(card?.summary).toContain('As of 2026-03-01 09:15');
  });

  test('is told by no earlier one of other inputs: that is known to be outdated', async () => {
    const { prediction } = await lateCall({
      predict: (request) => {
        request.inputsRead?.({ ...inputs, features: new Map() });
        return never;
      },
    });
    expect(prediction).toEqual(expect.objectContaining({ state: 'computing' }));
    expect(prediction?.score).toBeUndefined();
  });

  test.each<[string, LateCall, number]>([
    ['the manifest allows no reuse', { reuse: '' }, 0],
    ['nobody knows whose patient it is', { fhirServer: '' }, 0],
    ['there is none', { findEarlier: async () => undefined }, 1],
    ['it is about another outcome', { findEarlier: async () => ({ ...earlier, scores: { other: 0.5 } }) }, 1],
    ['the search for it is late too', { findEarlier: () => new Promise<undefined>(() => undefined) }, 1],
  ])('is said to be computed where %s', async (_, late, searches) => {
    const { card, prediction, asked, events } = await lateCall(late);
    expect(prediction).toEqual(expect.objectContaining({ state: 'computing' }));
    expect(card?.summary).not.toMatch(/\d %/);
    expect(asked).toHaveLength(searches);
    expect(events).toEqual(['cds-hook.late']);
  });

  test('is said to be computed where the search for an earlier one fails, which is logged', async () => {
    const { prediction, events } = await lateCall({
      findEarlier: async () => Promise.reject(new Error('no database')),
    });
    expect(prediction?.state).toBe('computing');
    expect(events).toEqual(['cds-hook.earlier-unknown', 'cds-hook.late']);
  });

  test('gives no card at all where the service was switched off meanwhile', async () => {
    const { card, events } = await lateCall({
      predict: (_, { switchOff }) => {
        switchOff('services');
        return never;
      },
    });
    expect(card).toBeUndefined();
    expect(events).toEqual(['cds-hook.switched-off']);
  });

  test('is not looked for where it is there in time', async () => {
    const now = scoredOutcome({
      scores: new Map([['total-cvd-10y', 0.3]]),
      levels: new Map(),
      details: new Map(),
    });
    const { prediction, asked } = await lateCall({ predict: async () => now });
    expect(prediction).toMatchObject({ state: 'scored', score: 0.3 });
    expect(prediction?.earlier).toBeUndefined();
    expect(asked).toEqual([]);
  });
});

describe('what a hook computes is kept as a resource', () => {
  test.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
  ])(
    'where the client is configured for it (%s) and the store is the own one (%s): %s',
    async (writesBack, ownStore, kept) => {
      const { requests } = await lateCall({ writesBack, ownStore });
      expect(requests.map(({ writeBack }) => writeBack)).toEqual([kept]);
    },
  );

  test('and never without a server, whose patient it would be', async () => {
    const { requests } = await lateCall({ writesBack: true, ownStore: true, fhirServer: '' });
    expect(requests.map(({ writeBack }) => writeBack)).toEqual([false]);
  });
});
