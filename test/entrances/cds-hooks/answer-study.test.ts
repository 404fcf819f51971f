import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerHook, type HookEntrance } from '../../../src/entrances/cds-hooks/answer-hook.ts';
import { contextReader } from '../../../src/entrances/cds-hooks/context-reader.ts';
import { type HookService, hookServices } from '../../../src/entrances/cds-hooks/hook-service.ts';
import { anyone, type Principal } from '../../../src/http/principal.ts';
import { hookVersions } from '../../../src/model-catalog/hook-library.ts';
import { levelAt } from '../../../src/model-catalog/outcome-score.ts';
import { readModelFolder } from '../../../src/model-catalog/read-models.ts';
import type { ToldReport } from '../../../src/monitoring/told-reports.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import type { LogEvent } from '../../../src/platform/events.ts';
import type { PredictionRequest } from '../../../src/prediction/prediction-request.ts';
import type { StandingOutcome, StudyReports } from '../../../src/prediction/study-reports.ts';
import { buildResult } from '../../../src/results/build-result.ts';
import { cardModel } from '../../support/card-model.ts';
import { catalogOfVersions } from '../../support/catalog-of-versions.ts';
import { cdsResponseFindings } from '../../support/cds-response-checker.ts';
import type { ModelFolder } from '../../support/model-folder.ts';
import { scoredRecord } from '../../support/outcome-record.ts';
import { scoredOutcome } from '../../support/prediction-outcome.ts';
import { reportRequest } from '../../support/report-request.ts';
import { unloadedEngine } from '../../support/unloaded-engine.ts';

const now = new Date('2026-03-01T12:00:00Z');
const study = { reference: 'ImagingStudy/s1', at: '2026-03-01T07:30:00Z', description: 'Chest' };
const client: Principal = {
  ...anyone,
  provedBy: 'cds-jwt',
  fhir: { scopes: [] },
  cdsHooks: { writesBack: true, systemActions: false },
};
const report = { ...buildResult(reportRequest()), id: 'r1' } as NonNullable<StandingOutcome['report']>;

let folder: ModelFolder;
let service: HookService;
beforeAll(async () => {
  folder = await cardModel();
  const version = { ...(await readModelFolder(folder.dir)), ...unloadedEngine };
  const [first] = hookServices(catalogOfVersions([version]), [], false);
  if (first === undefined) throw new Error('the model has no service');
  service = { ...first, showsReports: true };
});
afterAll(() => folder[Symbol.asyncDispose]());

/** What stands of the study at this score. */
function saidAt(score: number, hours = 3): StandingOutcome {
  const computedAt = new Date(now.getTime() - hours * 3_600_000);
  return { study, report, outcome: scoredRecord('s1', { computedAt, scores: { 'ascvd-10y': score } }) };
}

interface StudyCall {
  readonly found?: Partial<StudyReports> | undefined;
  readonly find?: () => Promise<StudyReports | undefined>;
  readonly told?: () => Promise<void>;
  readonly ask?: () => Promise<'created' | 'under-way' | 'ended'>;
  readonly principal?: Principal;
  readonly fhirServer?: string | undefined;
  readonly areMadeFor?: boolean;
  readonly isHeld?: boolean;
  readonly isOff?: () => boolean;
  readonly declared?: Partial<HookService>;
  readonly context?: Readonly<Record<string, unknown>>;
}

async function call(options: StudyCall = {}) {
  const { principal = client, areMadeFor = true, isHeld = false, ask = async () => 'created' as const } = options;
  const fhirServer = 'fhirServer' in options ? options.fhirServer : 'https://ehr.example/fhir';
  const common = {
    model: { id: 'm', version: '1.0.0', digest: 'd' },
    subjectBase: 'b',
    asOf: now,
    study,
    isDue: false,
  };
  const events: LogEvent[] = [];
  const asked: PredictionRequest[] = [];
  const predicted: PredictionRequest[] = [];
  const told: ToldReport[] = [];
  const remembered: string[] = [];
  const offered = { ...service, ...options.declared };
  let uuids = 0;
  const entrance: HookEntrance = {
    services: () => [offered],
    isOff: options.isOff ?? (() => false),
    predict: async (request) => {
      predicted.push(request);
      const level = levelAt(service.outcome, 0.3);
      return scoredOutcome({
        scores: new Map([['ascvd-10y', 0.3]]),
        levels: new Map(level === undefined ? [] : [['ascvd-10y', level]]),
        details: new Map(),
      });
    },
    findings: () => [],
    holdBack: async ({ said }) => {
      remembered.push(said);
      return isHeld;
    },
    findEarlier: async () => undefined,
    reports: {
      find: options.find ?? (async () => ({ ...common, ...options.found })),
      areMadeFor: () => areMadeFor,
      ask: (request) => {
        asked.push(request);
        return ask();
      },
      told: async (all) => {
        await options.told?.();
        told.push(...all);
      },
    },
    isOwnStore: () => false,
    deadlineMs: 120,
    timeoutMs: 5_000,
    timeZone: 'UTC',
    serverUrl: 'https://risk.example',
    newId: () => `d1577c69-dfbe-44ad-ba6d-00000000000${++uuids}`,
    now: () => now,
  };
  const answer = await answerHook(entrance, {
    offered: [offered],
    body: {
      hook: offered.hook,
      hookInstance: '7b7c2f2c-3a55-4ac4-8f6f-0c1f3c2d9a11',
      ...(fhirServer === undefined ? {} : { fhirServer }),
      context: { userId: 'Practitioner/example', patientId: '17', ...options.context },
      prefetch: { patient: { resourceType: 'Patient', id: '17' } },
    },
    requestId: 'request-1',
    principal,
    startedMs: performance.now(),
    givenUp: new AbortController().signal,
    event: (event) => events.push(event),
  });
  expect(cdsResponseFindings(answer)).toEqual([]);
  const shown = answer.cards.map(({ extension }) => extension['org.fhirsight.prediction'].state);
  return {
    ...answer,
    shown,
    told,
    remembered,
    asked,
    predicted,
    happened: events,
    events: events.map(({ name }) => name),
  };
}

describe('a service that shows reports', () => {
  it('CDS-32 CDS-34: shows the score by the levels of its manifest, with who has read it, how old it is, and a link', async () => {
    const { cards, told } = await call({ found: { said: saidAt(0.3) } });
    const [card] = cards;
    expect(card?.indicator).toBe('critical');
    expect(card?.summary).toMatch(/^AI result, not read: 30\.0 % .*\(/);
    expect(card?.detail).toMatch(
      /^\*\*AI result, not read by a radiologist\.\*\*\n\nStudy of 2026-03-01 07:30: Chest\. Computed 3 h ago\./,
    );
    expect(card?.links[0]).toEqual({
      label: 'Report',
      url: 'https://risk.example/fhir/R4/DiagnosticReport/r1',
      type: 'absolute',
    });
    expect(told.map((one) => ['said' in one && one.said.report?.id, one.request.caller?.card])).toEqual([
      ['r1', card?.uuid],
    ]);
    expect((await call({ found: { said: saidAt(0.01) } })).cards).toEqual([]);
  });

  it('has nothing made and asks no model where a report stands', async () => {
    const { asked, predicted } = await call({ found: { said: saidAt(0.3) } });
    expect([asked, predicted]).toEqual([[], []]);
  });

  it.each<[string, StudyCall, string, string]>([
    ['it is being made', {}, 'computing', 'Look again in a minute.'],
    ['it is being made already', { ask: async () => 'under-way' }, 'computing', 'Look again in a minute.'],
    ['the last try gave none', { ask: async () => 'ended' }, 'not-computed', 'nothing came of it'],
    [
      'too many are under way',
      { ask: () => Promise.reject(new PredictionError('RATE_LIMITED', 'Too many.')) },
      'not-computed',
      'too much is being computed',
    ],
    ['the patient is of another server', { areMadeFor: false }, 'not-computed', 'record source of this server alone'],
    [
      'the client may have none written',
      { principal: { ...client, cdsHooks: { writesBack: false, systemActions: false } } },
      'not-computed',
      'writesBack',
    ],
    ['nobody is asked who calls', { principal: anyone }, 'computing', 'Look again in a minute.'],
  ])('says what becomes of a study without one where %s', async (_, options, state, words) => {
    const { cards, shown, asked } = await call({ ...options, found: { isDue: true } });
    expect(shown).toEqual([state]);
    expect(cards[0]).toMatchObject({ indicator: 'info', detail: expect.stringContaining(words) });
    expect(cards[0]?.summary).toContain('study of 2026-03-01 07:30');
    expect(JSON.stringify(cards)).not.toContain('"score"');
    expect(asked).toHaveLength(words.includes('alone') || words === 'writesBack' ? 0 : 1);
  });

  it('CDS-16: answers at its deadline where the record is late, and the report is asked for all the same', async () => {
    const { promise, resolve } = Promise.withResolvers<StudyReports>();
    const late = await call({ find: () => promise });
    expect([late.shown, late.events]).toEqual([['computing'], ['cds-hook.late']]);
    expect(late.asked).toEqual([]);
    resolve({ model: { id: 'm', version: '1', digest: 'd' }, subjectBase: 'b', asOf: now, study, isDue: true });
    await expect.poll(() => late.asked).toHaveLength(1);
  });

  it('CDS-16 AUD-1: shows no number whose account is not kept at the deadline, and fails where it cannot be kept', async () => {
    const found = { said: saidAt(0.3) };
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = await call({ found, told: () => promise });
    expect([late.shown, late.events]).toEqual([['computing'], ['cds-hook.late']]);
    resolve();
    await expect.poll(() => late.told).toHaveLength(1);
    // An answer to the card that was shown is none to the number that was not.
    expect(late.told[0]?.request.caller?.card).not.toBe(late.cards[0]?.uuid);
    await expect(call({ found, told: () => Promise.reject(new Error('no database')) })).rejects.toThrow('no database');
  });

  it.each<[string, Partial<StudyReports>, string]>([
    ['a report is being made', { isDue: true }, 'computing'],
    ['a person has rejected it', { unshown: 'rejected' }, 'withheld'],
  ])('AUD-1: that %s is accounted for too, since it tells of a study of the patient', async (_, found, state) => {
    const { told, cards } = await call({ found });
    expect(told).toMatchObject([
      {
        request: { subject: '17', caller: { user: 'Practitioner/example', card: cards[0]?.uuid } },
        unsaid: { study: 'ImagingStudy/s1', subjectBase: 'b', outcome: 'ascvd-10y', state },
      },
    ]);
  });

  it('says in the log why nothing could be looked up, also once the call is answered', async () => {
    const { promise, reject } = Promise.withResolvers<StudyReports>();
    const late = await call({ find: () => promise });
    reject(new PredictionError('RECORD_UNREACHABLE', 'It refuses.'));
    await expect.poll(() => late.happened.map(({ name }) => name)).toContain('cds-hook.reports-unknown');
  });

  it('CDS-26: is a precondition that failed where no server is named, or it does not show the patient', async () => {
    await expect(call({ fhirServer: undefined })).rejects.toMatchObject({ code: 'HOOK_DATA_UNOBTAINABLE' });
    const find = () => Promise.reject(new PredictionError('RECORD_UNREACHABLE', 'It refuses.'));
    await expect(call({ find })).rejects.toMatchObject({ code: 'HOOK_DATA_UNOBTAINABLE' });
  });

  it('nothing is looked up for a client that may not name the server, be it the own store', async () => {
    let looked = 0;
    const find = async () => void looked++ as unknown as undefined;
    const cdsHooks = { writesBack: true, systemActions: false, fhirServers: ['https://other.example/fhir'] };
    await expect(call({ find, principal: { ...client, cdsHooks } })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(looked).toBe(0);
  });

  it('leaves it to a prediction to say why no study can be told', async () => {
    const { predicted, shown } = await call({ find: async () => undefined });
    expect(predicted).toHaveLength(1);
    expect(shown).toEqual(['scored']);
  });

  it('shows an older report beside what becomes of the newer study, each as what it is', async () => {
    const earlier = { ...saidAt(0.1, 60), study: { reference: 'ImagingStudy/s0', at: '2026-02-26T23:00:00Z' } };
    const { cards, shown } = await call({ found: { earlier, isDue: true } });
    expect(shown).toEqual(['scored', 'computing']);
    expect(cards[0]?.summary).toMatch(/^Older study\. AI result, not read: 10\.0 %/);
    expect(cards[0]?.detail).toContain('**This is of an older study.** The newer one, of 2026-03-01 07:30: Chest,');
    expect(cards[0]?.detail).toContain('Study of 2026-02-26 23:00. Computed 2 days ago.');
    expect(new Set(cards.map(({ uuid }) => uuid)).size).toBe(2);
  });

  it('RA-7: of a study that has changed since its report was made no number is shown, and it is never held back', async () => {
    const found = { hasChanged: true, isDue: true } as const;
    const { cards, shown } = await call({ found, declared: { heldForMs: 3_600_000 }, isHeld: true });
    expect(shown).toEqual(['computing']);
    expect(cards[0]?.detail).toMatch(
      /^What the model said of this study is not shown: .* have changed since\.\n\nIt is being/,
    );
    expect(JSON.stringify(cards)).not.toMatch(/"score"|AI result, (?:not )?read/);
  });

  it('says that newer data were not checked where nobody knows whether they have changed', async () => {
    const { cards } = await call({ found: { said: { ...saidAt(0.3), isUnchecked: true } } });
    expect(cards[0]?.detail).toContain('**Newer data were not checked:**');
    expect(cards[0]?.extension['org.fhirsight.prediction'].earlier).toBe('newer-data-not-checked');
  });

  it('says of an abstention that is asked for again that the study may be complete now', async () => {
    const verdicts = { 'ascvd-10y': { state: 'insufficient-data', reasons: ['age:not-found'] } };
    const { scores: _, ...outcome } = scoredRecord('s1', { computedAt: now, verdicts });
    const said: StandingOutcome = { study, outcome: { ...outcome, state: 'abstained' } };
    const { cards } = await call({ found: { said, isDue: true } });
    expect(cards[0]?.detail).toContain('**The study may be complete now.** It is being computed');
  });

  it('gives the reasons of an abstention by the labels of the inputs, and no number', async () => {
    const verdicts = { 'ascvd-10y': { state: 'insufficient-data', reasons: ['age:not-found', 'other'] } };
    const { scores: _, ...outcome } = scoredRecord('s1', { computedAt: now, verdicts });
    const said: StandingOutcome = { study, outcome: { ...outcome, state: 'abstained' } };
    const { cards, shown, told } = await call({ found: { said } });
    expect(shown).toEqual(['insufficient-data']);
    expect(cards[0]?.detail).toMatch(/Computed just now\.\n\nAsk for what is missing:\n\n- Age: not-found\n- other/);
    expect(told).toHaveLength(1);
    const notEligible = { 'ascvd-10y': { state: 'not-eligible', reasons: ['age'] } };
    const other = { ...said, outcome: { ...said.outcome, verdicts: notEligible } };
    expect((await call({ found: { said: other } })).shown).toEqual(['not-eligible']);
  });

  it('holds back what its reader was told already, but never what was told to nobody', async () => {
    const declared = { heldForMs: 3_600_000 };
    expect((await call({ found: { said: saidAt(0.1) }, declared, isHeld: true })).cards).toEqual([]);
    expect((await call({ found: { said: saidAt(0.3) }, declared, isHeld: true })).cards).toHaveLength(1);
    expect((await call({ found: { isDue: true }, declared, isHeld: true })).cards).toHaveLength(1);
  });

  it('remembers that no number was given, so that the same number is told again after it', async () => {
    const declared = { heldForMs: 3_600_000 };
    const told = async (found: Partial<StudyReports>) => (await call({ found, declared })).remembered;
    expect(await told({ said: saidAt(0.1) })).toEqual(['warning: intermediate']);
    expect(await told({ isDue: true })).toEqual(['no score: computing']);
    expect(await told({ unshown: 'rejected' })).toEqual(['no score: withheld']);
  });

  it('shows nothing, and has nothing made, once it is switched off during the call', async () => {
    let looks = 0;
    const { shown, asked } = await call({ found: { isDue: true }, isOff: () => looks++ > 0 });
    expect([shown, asked]).toEqual([['disabled'], []]);
  });

  it('shows one report for several orders, and none for a call about none of its orders', async () => {
    const hook = 'order-sign';
    const declared = {
      hook,
      declared: { ...service.declared, focus: ['ServiceRequest'] },
      readContext: contextReader(hookVersions({ hook })),
    };
    const ordering = (resourceTypes: readonly string[]) => ({
      draftOrders: {
        resourceType: 'Bundle',
        entry: resourceTypes.map((resourceType, index) => ({ resource: { resourceType, priority: `${index}` } })),
      },
    });
    const said = { found: { said: saidAt(0.3) }, declared };
    const orders = ordering(['ServiceRequest', 'ServiceRequest', 'MedicationRequest']);
    expect((await call({ ...said, context: orders })).shown).toEqual(['scored']);
    expect((await call({ ...said, context: ordering(['MedicationRequest']) })).shown).toEqual([]);
  });
});
