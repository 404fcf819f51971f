import { afterEach, describe, expect, it } from 'vitest';
import { buildCard, type CardFrame } from '../../../src/entrances/cds-hooks/card.ts';
import { cardSuggestions } from '../../../src/entrances/cds-hooks/card-suggestions.ts';
import { type HookService, hookServices } from '../../../src/entrances/cds-hooks/hook-service.ts';
import type { Findings } from '../../../src/entrances/cds-hooks/read-search.ts';
import type { CdsHooksService } from '../../../src/model-catalog/cds-hooks-schema.ts';
import { readModelFolder } from '../../../src/model-catalog/read-models.ts';
import { cardModel } from '../../support/card-model.ts';
import { catalogOfVersions } from '../../support/catalog-of-versions.ts';
import { cdsResponseFindings } from '../../support/cds-response-checker.ts';
import type { ModelFolder } from '../../support/model-folder.ts';
import { unloadedEngine } from '../../support/unloaded-engine.ts';

const frame: CardFrame = {
  uuid: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
  serverUrl: 'https://risk.example',
  patientId: '17',
  findings: () => [],
};
const high = { score: 0.3, band: 'high' };

let folder: ModelFolder | undefined;
afterEach(async () => {
  await folder?.[Symbol.asyncDispose]();
  folder = undefined;
});

/** The service of a model that declares all that cards can have, changed. */
async function serviceOf(change: (service: CdsHooksService) => void): Promise<HookService> {
  folder = await cardModel(change);
  const version = { ...(await readModelFolder(folder.dir)), ...unloadedEngine };
  const [service] = hookServices(catalogOfVersions([version]), [], false);
  if (service === undefined) throw new Error('the model has no service');
  return service;
}

function cardOf(service: HookService, findings: Findings = frame.findings) {
  const suggestions = cardSuggestions(service, high, { ...frame, findings });
  const prediction = { state: 'scored' as const, score: high.score };
  const card = buildCard(service, frame, { summary: 'Synthetic', indicator: 'info', suggestions, prediction });
  expect(cdsResponseFindings({ cards: [card] })).toEqual([]);
  return card;
}

describe('what a model suggests', () => {
  it('CDS-37 CDS-38 where any number may be taken, several may be recommended', async () => {
    const service = await serviceOf(({ suggestions }) => {
      Object.assign(suggestions ?? {}, { selectionBehavior: 'any' });
      for (const choice of suggestions?.choices ?? []) choice.isRecommended = true;
    });
    const { selectionBehavior, suggestions = [] } = cardOf(service);
    expect([selectionBehavior, ...suggestions.map(({ isRecommended }) => isRecommended)]).toEqual(['any', true, true]);
  });

  it('CDS-40 all actions of a suggestion are told, or the suggestion is not given: half of what was meant is never ordered', async () => {
    const service = await serviceOf(({ suggestions }) => {
      const talk = { type: 'create', description: 'Task to talk about it', resource: 'cards/talk.json' } as const;
      suggestions?.choices[0]?.actions?.push(talk);
    });
    const [panel] = cardOf(service).suggestions ?? [];
    expect(panel?.actions?.map(({ type, resource }) => [type, resource.resourceType])).toEqual([
      ['create', 'ServiceRequest'],
      ['create', 'Task'],
    ]);
    expect(panel).not.toHaveProperty('actionSelectionBehavior');
    const second: Findings = (draft) =>
      (draft as { resourceType: string }).resourceType === 'Task' ? [{ code: 'value', message: 'Broken.' }] : [];
    expect(() => cardOf(service, second)).toThrow('is not valid in FHIR R4');
  });

  it('CDS-36 CDS-41 where a model has no reasons of its own, there are the usual ones, each with code, system and words', async () => {
    const service = await serviceOf((declared) => {
      delete declared.overrideReasons;
    });
    const { overrideReasons = [] } = cardOf(service);
    expect(overrideReasons.length).toBeGreaterThan(2);
    for (const reason of overrideReasons)
      expect(reason).toEqual({
        system: expect.stringMatching(/^https:/),
        code: expect.stringMatching(/^[a-z-]+$/),
        display: expect.stringMatching(/\w/),
      });
  });

  it('CDS-42 what an app is told at its launch is text, and a page is told nothing', async () => {
    const { links } = cardOf(await serviceOf(() => undefined));
    expect(links.map(({ type, appContext }) => [type, appContext])).toEqual([
      ['absolute', undefined],
      ['absolute', undefined],
      ['smart', '{"view":"risk"}'],
    ]);
  });
});
