import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CardFrame, computingCard } from '../../../src/entrances/cds-hooks/card.ts';
import { type HookService, hookServices } from '../../../src/entrances/cds-hooks/hook-service.ts';
import { outcomeCards } from '../../../src/entrances/cds-hooks/outcome-cards.ts';
import { predictionRequestFromHook } from '../../../src/entrances/cds-hooks/prediction-request-from-hook.ts';
import { anyone } from '../../../src/http/principal.ts';
import type { CardShow } from '../../../src/model-catalog/cds-card-schema.ts';
import type { LoadedVersion } from '../../../src/model-catalog/model-version.ts';
import { levelAt } from '../../../src/model-catalog/outcome-score.ts';
import { readModelFolder } from '../../../src/model-catalog/read-models.ts';
import type { Scored } from '../../../src/prediction/prediction-outcome.ts';
import { catalogOfVersions } from '../../support/catalog-of-versions.ts';
import { cdsResponseFindings } from '../../support/cds-response-checker.ts';
import { shippedModels } from '../../support/model-folder.ts';
import { unloadedEngine } from '../../support/unloaded-engine.ts';

const frame: CardFrame = {
  uuid: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
  serverUrl: 'https://risk.example',
  patientId: '17',
  findings: () => [],
};

let version: LoadedVersion;
beforeAll(async () => {
  const read = await readModelFolder(path.join(shippedModels, 'pce-2013', '1.0.0'));
  version = { ...read, ...unloadedEngine };
});

/** The service of the shipped model, its words changed. */
function service(words: { title?: string; label?: string; band?: string } = {}): HookService {
  const { manifest } = version;
  const [outcome] = manifest.outcomes;
  if (outcome?.kind !== 'probability' || outcome.bands === undefined) throw new Error('the model has no bands');
  const levels = outcome.bands.levels.map((level) => ({ ...level, display: words.band ?? level.display }));
  const changed = { ...outcome, label: words.label ?? outcome.label, bands: { ...outcome.bands, levels } };
  const named = { ...manifest, title: words.title ?? manifest.title, outcomes: [changed] };
  const loaded = { ...version, manifest: named };
  const [first] = hookServices(catalogOfVersions([loaded]), [], false);
  if (first === undefined) throw new Error('the model has no service');
  return first;
}

function scored(of: HookService, score: number, change: Partial<Scored> = {}): Scored {
  const level = levelAt(of.outcome, score);
  const { manifest, digest } = of.version;
  return {
    state: 'scored',
    model: { id: manifest.id, version: manifest.version, digest },
    asOf: new Date('2026-03-01T12:00:00Z'),
    identifier: 'abc',
    inputs: {
      features: new Map([
        ['systolicBloodPressure', { state: 'observed', value: 151.25, at: '2026-01-10T08:30:00Z', sources: [] }],
        ['diabetes', { state: 'assumed-absent', value: false, detail: 'none', at: '2026-01-10', sources: [] }],
        ['currentSmoker', { state: 'observed', value: true, at: '2026-01-11', sources: [] }],
        ['totalCholesterol', { state: 'asserted', value: 213, sources: [] }],
      ]),
      verdicts: new Map([[of.outcome.id, { state: 'score' }]]),
      basis: [],
    },
    subjectBase: 'https://ehr.example/fhir',
    computedAt: new Date('2026-03-01T12:00:00Z'),
    validUntil: new Date('2026-05-30T12:00:00Z'),
    timings: {},
    remarks: [],
    details: new Map(),
    scores: new Map([[of.outcome.id, score]]),
    resultType: 'RiskAssessment',
    levels: new Map(level === undefined ? [] : [[of.outcome.id, level]]),
    explanation: { none: 'not computed' },
    created: false,
    ...change,
  };
}

const cardsOf = (of: HookService, outcome: Scored) => outcomeCards(of, outcome, frame, 'Europe/Berlin');

describe('the card of a score', () => {
  test.each<[number, CardShow]>([
    [0, 'none'],
    [0.0499999, 'none'],
    [0.05, 'info'],
    [0.1999999, 'info'],
    [0.2, 'warning'],
    [1, 'warning'],
  ])('of %d shows %s, by the band of the unrounded probability', (score, show) => {
    const of = service();
    expect(cardsOf(of, scored(of, score)).map(({ indicator }) => indicator)).toEqual(show === 'none' ? [] : [show]);
  });

  test('by limits: the last one that is not above the probability', () => {
    const of = service();
    const levels = [
      { from: 0, show: 'none' as const },
      { from: 0.1, show: 'warning' as const, because: 'x' },
      { from: 0.3, show: 'critical' as const, because: 'x' },
    ];
    const limited = { ...of, declared: { ...of.declared, cards: { ...of.declared.cards, scored: levels } } };
    const shown = [0.0999, 0.1, 0.3].map((score) => cardsOf(limited, scored(of, score))[0]?.indicator);
    expect(shown).toEqual([undefined, 'warning', 'critical']);
  });

  test('names the three largest contributions by absolute difference, with value, unit, date and what is assumed', () => {
    const of = service();
    const outcome = of.outcome.id;
    const contributions = [
      { feature: 'totalCholesterol', outcome, difference: 0.001 },
      { feature: 'diabetes', outcome, difference: -0.02 },
      { feature: 'currentSmoker', outcome, difference: 0.0000001 },
      { feature: 'systolicBloodPressure', outcome, difference: 0.0123456 },
      { feature: 'systolicBloodPressure', outcome: 'another', difference: 0.9 },
    ];
    const [card] = cardsOf(
      of,
      scored(of, 0.3, {
        explanation: { contributions, bases: [{ outcome: of.outcome.id, scale: 'score', base: 0.1 }] },
      }),
    );
    expect(card?.detail?.match(/^- .*percentage points$/gm)).toEqual([
      '- Diabetes: no (assumed: nothing recorded, last encounter 2026-01-10): −2.00 percentage points',
      '- Systolic blood pressure: 151.25 mmHg (2026-01-10): +1.23 percentage points',
      '- Total cholesterol: 213 mg/dL (asserted): +0.10 percentage points',
    ]);
  });

  test('shows as many contributions as the manifest says, and asks for none where it says 0', () => {
    const of = service();
    const contributions = ['totalCholesterol', 'systolicBloodPressure'].map((feature) => ({
      feature,
      outcome: of.outcome.id,
      difference: 0.1,
    }));
    const [card] = cardsOf(
      { ...of, contributions: 1 },
      scored(of, 0.3, {
        explanation: { contributions, bases: [{ outcome: of.outcome.id, scale: 'score', base: 0.1 }] },
      }),
    );
    expect(card?.detail?.match(/^- .*percentage points$/gm)).toHaveLength(1);
    const request = (shown: number) =>
      predictionRequestFromHook(
        { ...of, contributions: shown },
        { context: { patientId: '1' } },
        { answers: new Map(), begun: new Map(), failed: new Map() },
        {
          requestId: 'r',
          principal: anyone,
          card: frame.uuid,
          build: false,
          writeBack: false,
          answerBy: 0,
          signal: new AbortController().signal,
          givenUp: new AbortController().signal,
        },
      );
    expect([request(0).explain, request(1).explain]).toEqual([false, true]);
  });

  test('without contributions repeats the remark that says why', () => {
    const of = service();
    const [card] = cardsOf(of, scored(of, 0.3, { remarks: ['No contributions of inputs: <time> ran out.'] }));
    expect(card?.detail).toContain('- No contributions of inputs: &lt;time&gt; ran out.');
    expect(card?.detail).not.toContain('Largest contributions');
  });

  test('has the unrounded score, the identifier and the as-of of the site in its extension', () => {
    const of = service();
    const [card] = cardsOf(of, scored(of, 0.1 + 0.2));
    expect(card?.extension['org.fhirsight.prediction']).toEqual({
      state: 'scored',
      model: 'pce-2013',
      version: '1.0.0',
      digest: version.digest,
      outcome: 'ascvd-10y',
      score: 0.30000000000000004,
      result: 'abc',
      asOf: '2026-03-01T13:00:00+01:00',
    });
    expect(JSON.stringify(card)).toContain('"score":0.30000000000000004');
  });

  test('CDS-35 CDS-42 DSI-40 leads to the card of the very version, by its source and by a link', () => {
    const of = service();
    const [card] = cardsOf(of, scored(of, 0.3));
    const url = 'https://risk.example/models/pce-2013/versions/1.0.0/card';
    expect(card?.source.url).toBe(url);
    expect(card?.links).toEqual([{ label: 'Model card', url, type: 'absolute' }]);
  });

  test('CDS-37 suggests and orders nothing that its model does not declare', () => {
    const of = service();
    const [card] = cardsOf(of, scored(of, 0.3));
    expect(card).not.toHaveProperty('suggestions');
    expect(card).not.toHaveProperty('selectionBehavior');
  });

  test('CDS-30 to CDS-43 whatever a model is called and whatever it says: short, whole, escaped', () => {
    const words = fc.string({ unit: 'binary', minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(words, words, words, fc.double({ min: 0.05, max: 1, noNaN: true }), (title, label, band, score) => {
        fc.pre([title, label, band].every((text) => /[\p{L}\p{N}]/u.test(text)));
        const of = service({ title, label, band });
        const cards = [...cardsOf(of, scored(of, score)), computingCard(of, frame)];
        for (const card of cards) expect(cdsResponseFindings({ cards: [card] })).toEqual([]);
        for (const { detail = '' } of cards) expect(detail).not.toMatch(/<|[^\\]\]\(/);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the card of an abstention', () => {
  test('says why in words and has neither number nor reasons to override', () => {
    const of = service();
    const reasons = [{ reason: 'creatinine:not-found', message: 'no *creatinine* within 5 years' }];
    const verdicts = new Map([[of.outcome.id, { state: 'insufficient-data' as const, reasons }]]);
    const outcome = scored(of, 0.3, { inputs: { ...scored(of, 0.3).inputs, verdicts }, scores: new Map() });
    const [card] = cardsOf(of, outcome);
    expect(cdsResponseFindings({ cards: [card] })).toEqual([]);
    expect(card?.detail).toContain('- no \\*creatinine\\* within 5 years');
    expect(card?.extension['org.fhirsight.prediction']).not.toHaveProperty('score');
    expect(card?.overrideReasons).toBeUndefined();
  });
});
