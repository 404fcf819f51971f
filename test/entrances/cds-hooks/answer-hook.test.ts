import { describe, expect, test } from 'vitest';
import { answerHook, type HookEntrance } from '../../../src/entrances/cds-hooks/answer-hook.ts';
import type { Card } from '../../../src/entrances/cds-hooks/card.ts';
import { hookServices } from '../../../src/entrances/cds-hooks/hook-service.ts';
import { anyone, type Principal } from '../../../src/http/principal.ts';
import type { CdsHooksService } from '../../../src/model-catalog/cds-hooks-schema.ts';
import { isServiceOff } from '../../../src/model-catalog/cds-services.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import type { LogEvent } from '../../../src/platform/events.ts';
import type { PredictionOutcome } from '../../../src/prediction/prediction-outcome.ts';
import type { PredictionRequest } from '../../../src/prediction/prediction-request.ts';
import { answeredReader, unaskedServer } from '../../../src/records/answered-reader.ts';
import { loadedVersions } from '../../support/loaded-versions.ts';
import { noReports } from '../../support/no-reports.ts';
import { scoredOutcome } from '../../support/prediction-outcome.ts';
import { type SwitchedModels, switchedModels } from '../../support/switched-models.ts';

interface Answered {
  readonly cards: readonly Card[];
  readonly events: readonly string[];
}

interface CallOptions {
  readonly principal?: Principal;
  readonly fhirServer?: string;
  readonly hook?: string;
  readonly context?: Readonly<Record<string, unknown>>;
  /** What the manifest declares beside. */
  readonly declared?: Partial<CdsHooksService>;
  /** Takes what is remembered as told. */
  readonly told?: string[];
  readonly givenUp?: AbortSignal;
}

/** Calls the service of `prevent-base`. @param predict what the path says, and what happens while it works */
async function call(
  predict: (models: SwitchedModels, request: PredictionRequest) => Promise<PredictionOutcome>,
  deadlineMs = 5_000,
  {
    principal = anyone,
    fhirServer,
    hook = 'patient-view',
    context = {},
    declared = {},
    told = [],
    givenUp = new AbortController().signal,
  }: CallOptions = {},
): Promise<Answered> {
  const models = switchedModels(
    loadedVersions({ '1.0.0': 'aa' }).map((version) => ({
      ...version,
      manifest: {
        ...version.manifest,
        cdsHooks: version.manifest.cdsHooks?.map((service) => ({
          ...service,
          hook,
          repeats: { heldFor: 'PT8H' },
          ...declared,
          ...(hook === 'patient-view' ? {} : { focus: ['ServiceRequest'] }),
        })),
      },
    })),
  );
  const events: LogEvent[] = [];
  const services = () => hookServices(models.catalog, [], false);
  const [service] = services();
  if (service === undefined) throw new Error('the model has no service');
  const entrance: HookEntrance = {
    services,
    isOff: (each) => isServiceOff(models.catalog, each),
    predict: (request) => predict(models, request),
    findings: () => [],
    holdBack: async ({ said }) => {
      told.push(said);
      return false;
    },
    findEarlier: async () => undefined,
    isOwnStore: () => false,
    deadlineMs,
    timeoutMs: 5_000,
    timeZone: 'Europe/Berlin',
    serverUrl: 'https://risk.example',
    newId: () => 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
    now: () => new Date(),
    reports: noReports,
  };
  const body = {
    hook: service.hook,
    hookInstance: '7b7c2f2c-3a55-4ac4-8f6f-0c1f3c2d9a11',
    ...(fhirServer === undefined ? {} : { fhirServer }),
    context: { userId: 'Practitioner/example', patientId: '17', ...context },
    prefetch: { patient: { resourceType: 'Patient', id: '17' } },
  };
  const { cards } = await answerHook(entrance, {
    offered: [service],
    body,
    requestId: 'request-1',
    principal,
    startedMs: performance.now(),
    givenUp,
    event: (event) => events.push(event),
  });
  return { cards, events: events.map(({ name }) => name) };
}

const noCard: Answered = { cards: [], events: ['cds-hook.switched-off'] };
const high = scoredOutcome({
  scores: new Map([['total-cvd-10y', 0.3]]),
  levels: new Map([['total-cvd-10y', { number: 3, code: 'high', display: 'High' }]]),
  details: new Map(),
});

test('a score of a model that is on is shown', async () => {
  const { cards, events } = await call(async () => high);
  expect(cards).toHaveLength(1);
  expect(events).toEqual([]);
});

test.each(['models', 'services'] as const)(
  'no score is shown where the %s are switched off while it is computed',
  async (what) => {
    expect(
      await call(async ({ switchOff }) => {
        switchOff(what);
        return high;
      }),
    ).toEqual(noCard);
  },
);

test('a model that refuses because it was switched off during the call gives no card, not an error', async () => {
  expect(
    await call(async ({ switchOff }) => {
      switchOff('models');
      throw new PredictionError('MODEL_DISABLED', 'It was switched off.');
    }),
  ).toEqual(noCard);
});

test('no card says that a score is being computed of a model that was switched off meanwhile', async () => {
  const never = new Promise<PredictionOutcome>(() => undefined);
  expect((await call(() => never, 20)).events).toEqual(['cds-hook.late']);
  expect(
    await call(({ switchOff }) => {
      switchOff('models');
      return never;
    }, 20),
  ).toEqual(noCard);
});

test('a client may name its own FHIR servers, and no other: nobody speaks of the patients of another hospital', async () => {
  const principal: Principal = {
    provedBy: 'cds-jwt',
    client: 'north',
    key: 'north',
    roles: new Set(['caller']),
    cdsHooks: { writesBack: false, systemActions: false, fhirServers: ['https://north.example.org/fhir'] },
  };
  const by = (fhirServer?: string) =>
    call(async () => high, 5_000, { principal, ...(fhirServer === undefined ? {} : { fhirServer }) });
  expect((await by()).cards).toHaveLength(1);
  expect((await by('https://NORTH.example.org:443/fhir/')).cards).toHaveLength(1);
  for (const other of [
    'https://south.example.org/fhir',
    'https://north.example.org/fhir/south',
    'https://north.example.org/fhi',
    'http://north.example.org/fhir',
    'https://north.example.org:8443/fhir',
  ])
    await expect(by(other), other).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect((await call(async () => high, 5_000, { fhirServer: 'https://south.example.org/fhir' })).cards).toHaveLength(1);
});

test('CDS-24 CDS-26 a key that only the client may answer is a precondition that fails where it is left out: no server is asked', async () => {
  const base = 'https://ehr.example/fhir';
  const read = async (_: SwitchedModels, { origin, subject }: PredictionRequest): Promise<PredictionOutcome> => {
    if (origin?.from !== 'server') throw new Error('the call names a server');
    const answers = { patient: { found: undefined }, rows: new Map(), resources: new Map() };
    const reader = answeredReader(answers, unaskedServer(base), origin.unasked);
    const queries = [{ key: 'observations', type: 'Observation', subjectParameter: 'patient' }] as const;
    await reader.readMany({ subjects: [subject], queries, also: [] });
    return high;
  };
  const declared = { prefetch: { observations: 'client-only' } } as const;
  await expect(call(read, 5_000, { fhirServer: base, declared })).rejects.toMatchObject({
    code: 'HOOK_DATA_UNOBTAINABLE',
    message: expect.stringContaining('observations: The model leaves it to the client to send it along.'),
  });
});

describe('what is remembered as told', () => {
  const draft = (id: string) => ({
    resource: { resourceType: 'ServiceRequest', id, subject: { reference: 'Patient/17' } },
  });
  const sign = {
    hook: 'order-sign',
    fhirServer: 'https://ehr.example/fhir',
    context: { draftOrders: { resourceType: 'Bundle', entry: [draft('a'), draft('b')] } },
  };

  test('is every card of an answer that is given', async () => {
    const told: string[] = [];
    const { cards } = await call(async () => high, 5_000, { ...sign, told });
    expect([cards.length, told.length]).toEqual([2, 2]);
  });

  test('is none of an answer that is not given, since one of its predictions failed', async () => {
    const told: string[] = [];
    let count = 0;
    const predict = async () => {
      count += 1;
      if (count === 1) return high;
      throw new PredictionError('INFERENCE_FAILED', 'The second one failed.');
    };
    await expect(call(predict, 5_000, { ...sign, told })).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    expect(told).toEqual([]);
  });

  test('is none of an answer whose caller has gone', async () => {
    const told: string[] = [];
    const gone = new AbortController();
    const predict = async () => {
      gone.abort();
      return high;
    };
    await call(predict, 5_000, { ...sign, told, givenUp: gone.signal });
    expect(told).toEqual([]);
  });
});
