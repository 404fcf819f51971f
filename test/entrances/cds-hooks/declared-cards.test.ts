import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AnswerFor,
  answerOutcome,
  cardsToShow,
  wantsResult,
} from '../../../src/entrances/cds-hooks/answer-outcome.ts';
import { type CardFrame, disabledCards, type HookAnswer } from '../../../src/entrances/cds-hooks/card.ts';
import { type HookService, hookServices } from '../../../src/entrances/cds-hooks/hook-service.ts';
import { mostUrgentFirst } from '../../../src/entrances/cds-hooks/most-urgent-first.ts';
import { createResourceValidator } from '../../../src/fhir/validate-resource.ts';
import { anyone, type Principal } from '../../../src/http/principal.ts';
import { suggestedChoice } from '../../../src/model-catalog/cds-cards/suggestion-uuid.ts';
import { hookVersions } from '../../../src/model-catalog/hook-library.ts';
import { levelAt } from '../../../src/model-catalog/outcome-score.ts';
import { readModelFolder } from '../../../src/model-catalog/read-models.ts';
import type { CardToShow } from '../../../src/monitoring/held-cards.ts';
import type { LogEvent } from '../../../src/platform/events.ts';
import type { PredictionOutcome, Scored } from '../../../src/prediction/prediction-outcome.ts';
import { cardModel } from '../../support/card-model.ts';
import { catalogOfVersions } from '../../support/catalog-of-versions.ts';
import { cdsResponseFindings } from '../../support/cds-response-checker.ts';
import type { ModelFolder } from '../../support/model-folder.ts';
import { scoredOutcome } from '../../support/prediction-outcome.ts';
import { strictR4Issues } from '../../support/strict-r4.ts';
import { unloadedEngine } from '../../support/unloaded-engine.ts';

const validator = createResourceValidator();
const frame: CardFrame = {
  uuid: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
  serverUrl: 'https://risk.example',
  patientId: '17',
  encounterId: 'visit-3',
  findings: (value, path) => validator.findings(value, path),
};
const [hook] = hookVersions({ hook: 'patient-view' });
if (hook === undefined) throw new Error('the library has no patient-view');
const context = { patientId: '17', encounterId: 'visit-3', userId: 'Practitioner/7', version: hook, fields: {} };
const request = { context, fhirServer: { base: 'https://ehr.example/fhir' } };
const trusted: Principal = { ...anyone, cdsHooks: { writesBack: false, systemActions: true } };

let folder: ModelFolder;
let service: HookService;
beforeAll(async () => {
  folder = await cardModel();
  const version = { ...(await readModelFolder(folder.dir)), ...unloadedEngine };
  const [first] = hookServices(catalogOfVersions([version]), [], false);
  if (first === undefined) throw new Error('the model has no service');
  service = first;
});
afterAll(() => folder[Symbol.asyncDispose]());

function scored(score: number, change: Partial<Scored> = {}): PredictionOutcome {
  const level = levelAt(service.outcome, score);
  return scoredOutcome({
    scores: new Map([['ascvd-10y', score]]),
    levels: new Map(level === undefined ? [] : [['ascvd-10y', level]]),
    details: new Map(),
    remarks: ['Assumed: <no> diabetes.'],
    ...change,
  });
}

function unscored(state: 'not-eligible' | 'insufficient-data'): PredictionOutcome {
  const { inputs } = scored(0.3);
  const verdicts = new Map([['ascvd-10y', { state, reasons: [{ reason: 'age', message: 'too *young*' }] }]]);
  return { ...scored(0.3), scores: new Map(), inputs: { ...inputs, verdicts } } as PredictionOutcome;
}

const answerFor: AnswerFor = {
  frame,
  timeZone: 'Europe/Berlin',
  request,
  focus: undefined,
  principal: anyone,
  holdBack: async () => false,
  dueMs: 0,
  event: () => undefined,
};

async function answer(outcome: PredictionOutcome, options: Partial<AnswerFor> = {}): Promise<HookAnswer> {
  const { isShownAgain, ...computed } = answerOutcome(service, outcome, {
    ...answerFor,
    dueMs: performance.now() + 5_000,
    ...options,
  });
  const cards = await cardsToShow({ ...computed, ...(isShownAgain && { isShownAgain }) });
  const answered = { ...computed, cards };
  expect(cdsResponseFindings(answered)).toEqual([]);
  return answered;
}

describe('a card as its model declares it', () => {
  it('CDS-34 shows low, high, abstained, not eligible and disabled each as declared', async () => {
    const outcomes = [scored(0.01), scored(0.06), scored(0.1), scored(0.3), unscored('not-eligible')];
    const answers = await Promise.all(outcomes.map((outcome) => answer(outcome)));
    const shown = answers.map(({ cards }) => cards[0]?.indicator);
    expect(shown).toEqual([undefined, 'info', 'warning', 'critical', 'info']);
    const [abstained] = (await answer(unscored('insufficient-data'))).cards;
    expect(abstained?.detail).toContain('Ask for what is missing:\n\n- too \\*young\\*');
    expect(abstained?.suggestions).toBeUndefined();
    const cards = disabledCards(service, frame);
    expect(cdsResponseFindings({ cards })).toEqual([]);
    expect(cards.map(({ indicator, extension }) => [indicator, extension['org.fhirsight.prediction'].state])).toEqual([
      ['info', 'disabled'],
    ]);
  });

  it('CDS-33 words its detail by the template, every value escaped, nothing left empty', async () => {
    const [card] = (await answer(scored(0.3))).cards;
    expect(card?.detail).toMatch(/^### High risk \(20 % or more\)\n\n/);
    expect(card?.detail).toContain('- Assumed: &lt;no&gt; diabetes.');
    expect(card?.detail).not.toMatch(/\{\{|\n{3}/);
    expect(card?.detail).toMatch(/2026-03-01T13:00:00\+01:00\.$/);
  });

  it('CDS-37 CDS-38 CDS-39 suggests by band, drafts for the patient and the encounter of the call and for nobody else', async () => {
    const labels = async (score: number) =>
      (await answer(scored(score))).cards[0]?.suggestions?.map(({ label }) => label);
    expect([await labels(0.06), await labels(0.3)]).toEqual([
      ['Order a lipid panel'],
      ['Order a lipid panel', 'Talk about the risk'],
    ]);
    const [card] = (await answer(scored(0.3))).cards;
    expect(card?.selectionBehavior).toBe('at-most-one');
    const drafts = card?.suggestions?.flatMap(({ actions = [] }) => actions.map(({ resource }) => resource)) ?? [];
    for (const draft of drafts) expect(strictR4Issues(draft)).toEqual([]);
    expect(drafts).toMatchObject([
      { resourceType: 'ServiceRequest', status: 'draft', subject: { reference: 'Patient/17' } },
      {
        resourceType: 'Task',
        status: 'draft',
        for: { reference: 'Patient/17' },
        encounter: { reference: 'Encounter/visit-3' },
      },
    ]);
  });

  it('CDS-38 names each suggestion by a UUID of its own, the same for the same card', async () => {
    const named = async () => (await answer(scored(0.3))).cards[0]?.suggestions?.map(({ uuid }) => uuid ?? '') ?? [];
    const uuids = await named();
    expect(new Set(uuids).size).toBe(2);
    expect(await named()).toEqual(uuids);
    expect(uuids.map((uuid) => suggestedChoice(frame.uuid, uuid.toUpperCase()))).toEqual([0, 1]);
    expect(suggestedChoice('7b7c2f2c-3a55-4ac4-8f6f-0c1f3c2d9a11', uuids[0] ?? '')).toBeUndefined();
  });

  it('CDS-39 answers no draft that the server of the patient would refuse', async () => {
    const broken: CardFrame = { ...frame, findings: () => [{ code: 'value', message: 'Broken.' }] };
    await expect(answer(scored(0.3), { frame: broken })).rejects.toThrow('is not valid in FHIR R4');
  });

  it('CDS-41 CDS-42 has the reasons and the links of the model', async () => {
    const [card] = (await answer(scored(0.3))).cards;
    expect(card?.overrideReasons?.map(({ display }) => display)).toEqual(['Palliative care']);
    expect(card?.links.map(({ type, autolaunchable }) => [type, autolaunchable])).toEqual([
      ['absolute', undefined],
      ['absolute', undefined],
      ['smart', true],
    ]);
  });
});

it('CDS-34 the most urgent card of a call comes first, equally urgent ones as they came', async () => {
  const answers = await Promise.all([0.06, 0.1, 0.3, 0.11].map((score) => answer(scored(score))));
  const cards = mostUrgentFirst(answers.flatMap((answered) => answered.cards));
  expect(cards.map(({ extension }) => extension['org.fhirsight.prediction'].score)).toEqual([0.3, 0.1, 0.11, 0.06]);
});

describe('system actions', () => {
  const resource = {
    resourceType: 'RiskAssessment',
    id: 'ours',
    status: 'final',
    subject: { reference: 'Patient/17' },
    performer: { reference: 'Device/ours', identifier: { value: 'pce-2013@1.0.0' }, display: 'PCE' },
  };
  const withResource = () => scored(0.3, { resource } as Partial<Scored>);

  it('CDS-43 give the result to a client that is configured for it, without our id', async () => {
    const { id: _, performer: _ours, ...kept } = resource;
    expect((await answer(withResource(), { principal: trusted })).systemActions).toMatchObject([
      { type: 'create', resource: kept },
    ]);
    expect((await answer(withResource(), { principal: trusted })).systemActions?.[0]?.resource).not.toHaveProperty(
      'id',
    );
  });

  it('CDS-43 names the model by its identifier: no reference leads from the server of the client to a Device of ours', async () => {
    const [action] = (await answer(withResource(), { principal: trusted })).systemActions ?? [];
    expect(action?.resource).toHaveProperty('performer', {
      identifier: { value: 'pce-2013@1.0.0' },
      display: 'PCE',
    });
    const device = { reference: 'Device/ours', display: 'PCE' };
    const observed = scored(0.3, { resource: { resourceType: 'Observation', device } } as unknown as Partial<Scored>);
    const [other] = (await answer(observed, { principal: trusted })).systemActions ?? [];
    expect(other?.resource).toHaveProperty('device', { display: 'PCE' });
  });

  it('CDS-30 CDS-43 are left out for every other client, without a server, and where no model declares them', async () => {
    expect(await answer(withResource())).not.toHaveProperty('systemActions');
    const { resource: _unbuilt, ...unbuilt } = withResource() as Scored;
    expect(await answer(unbuilt, { principal: trusted })).not.toHaveProperty('systemActions');
    expect(wantsResult(service, {}, trusted)).toBe(false);
    const { systemActions: _none, ...declared } = service.declared;
    expect(wantsResult({ ...service, declared }, request, trusted)).toBe(false);
  });
});

describe('a card that says the same again', () => {
  const asked: CardToShow[] = [];
  const holdBack = async (card: CardToShow): Promise<boolean> => {
    asked.push(card);
    return true;
  };
  const names: string[] = [];
  const event = ({ name }: LogEvent): void => void names.push(name);
  beforeEach(() => {
    asked.length = 0;
    names.length = 0;
  });

  it('is left out where its reader was told, and said to be', async () => {
    expect((await answer(scored(0.1), { holdBack, event })).cards).toEqual([]);
    expect(names).toEqual(['cds-hook.held-back']);
    expect(asked).toEqual([
      {
        service: 'pce-2013',
        hook: 'patient-view',
        outcome: 'ascvd-10y',
        user: 'Practitioner/7',
        subject: { base: 'http://127.0.0.1:8080/fhir/R4', id: '17' },
        encounter: 'visit-3',
        model: scored(0.1).model,
        said: 'warning: intermediate',
        card: frame.uuid,
        heldForMs: 8 * 3_600_000,
      },
    ]);
  });

  it('is shown where it is critical, whatever is said of it, and the band is remembered', async () => {
    expect((await answer(scored(0.3), { holdBack, event })).cards).toHaveLength(1);
    expect(asked.map(({ said, heldForMs }) => [said, heldForMs])).toEqual([['critical: high', undefined]]);
    expect(names).toEqual([]);
  });

  it('is remembered at a band that shows none', async () => {
    expect((await answer(scored(0.01), { holdBack, event })).cards).toEqual([]);
    expect(asked.map(({ said, heldForMs }) => [said, heldForMs])).toEqual([['none: low', undefined]]);
    expect(names).toEqual([]);
  });

  it('is shown once more after a card that gave no number: that one is remembered, and never held back', async () => {
    expect((await answer(unscored('insufficient-data'), { holdBack, event })).cards).toHaveLength(1);
    expect(asked.map(({ said, heldForMs }) => [said, heldForMs])).toEqual([['no score: insufficient-data', undefined]]);
    expect(names).toEqual([]);
  });

  it('is shown where nobody says who reads it, whose server it is, or that repeats are held back', async () => {
    const { userId: _, ...nobody } = context;
    expect((await answer(scored(0.1), { holdBack, request: { ...request, context: nobody } })).cards).toHaveLength(1);
    expect((await answer(scored(0.1), { holdBack, request: { context } })).cards).toHaveLength(1);
    const { heldForMs: _off, ...off } = service;
    expect(await cardsToShow(answerOutcome(off, scored(0.1), { ...answerFor, holdBack }))).toHaveLength(1);
    expect(asked).toEqual([]);
  });

  it('is shown where the database fails or does not answer in time', async () => {
    const fails = async (): Promise<boolean> => Promise.reject(new Error('gone'));
    expect((await answer(scored(0.1), { holdBack: fails, event })).cards).toHaveLength(1);
    expect(names).toEqual(['cds-hook.repeats-unknown']);
    const never = (): Promise<boolean> => new Promise(() => undefined);
    expect((await answer(scored(0.1), { holdBack: never, dueMs: performance.now() + 10 })).cards).toHaveLength(1);
  });
});
