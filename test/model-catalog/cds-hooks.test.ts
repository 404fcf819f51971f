import { readdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FhirSearch } from '../../src/fhir/client/fhir-client.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { loadCatalog } from '../../src/model-catalog/catalog.ts';
import { cdsServices } from '../../src/model-catalog/cds-services.ts';
import { prefetchTemplates } from '../../src/model-catalog/prefetch-templates.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { createHttpRecordSource } from '../../src/records/http-record-source.ts';
import { copyModel, folderAt, shippedModels } from '../support/model-folder.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test breaks JSON in ways that no type of it allows
type Break = (services: any[]) => void;

async function refusalOf(model: string, change: Break): Promise<string> {
  const folder = await copyModel(model);
  try {
    await folder.edit('manifest.json', ({ cdsHooks }) => change(cdsHooks));
    await readModelFolder(folder.dir);
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'MODEL_INVALID') return error.message;
    throw error;
  } finally {
    await folder[Symbol.asyncDispose]();
  }
  throw new Error('the folder was accepted');
}

async function* noPages(): AsyncGenerator<never> {
  yield* [];
}

const scored = (levels: unknown): Break => {
  return ([service]) => {
    service.cards.scored = levels;
  };
};

describe('the section cdsHooks of a manifest', () => {
  test.each<[string, string, Break, string]>([
    [
      'an outcome that the model does not have',
      'prevent-base',
      ([s]) => {
        s.outcome = 'x';
      },
      '/cdsHooks/0/outcome: is x',
    ],
    [
      'a hook that is not known',
      'prevent-base',
      ([s]) => {
        s.hook = 'hover';
      },
      '/cdsHooks/0/hook: must match',
    ],
    [
      'a hook of its own without a context (CDS-71)',
      'prevent-base',
      ([s]) => {
        s.hook = 'com.example.hover';
      },
      '/cdsHooks/0/context: is missing',
    ],
    [
      'a hook of its own that names no patient',
      'prevent-base',
      ([s]) => {
        s.hook = 'com.example.hover';
        s.context = { patientId: { is: 'text' } };
      },
      '/cdsHooks/0/context/patientId: must be an id',
    ],
    [
      'a hook of its own whose text is to be what a prediction is about',
      'prevent-base',
      ([s]) => {
        s.hook = 'com.example.hover';
        s.context = { patientId: { is: 'id' }, ward: { is: 'text', focus: true } };
      },
      '/cdsHooks/0/context/ward/focus: text names nothing',
    ],
    [
      'a key that no prefetch has: left to the client alone, it would be no rule at all (CDS-24)',
      'prevent-base',
      ([s]) => {
        s.prefetch = { observation: 'client-only' };
      },
      '/cdsHooks/0/prefetch/observation: is no prefetch key of this model; it has patient, ',
    ],
    [
      'a focus at a hook that has none: it would never show a card',
      'prevent-base',
      ([s]) => {
        s.focus = ['ServiceRequest'];
      },
      '/cdsHooks/0/focus: is there, but patient-view names nothing',
    ],
    [
      'a focus of no type',
      'prevent-base',
      ([s]) => {
        Object.assign(s, { hook: 'order-sign', focus: ['ServiceRequests'] });
      },
      '/cdsHooks/0/focus: is ServiceRequests, which is no resource type',
    ],
    [
      'a focus of a type that its hook never holds',
      'prevent-base',
      ([s]) => {
        Object.assign(s, { hook: 'appointment-book', focus: ['ServiceRequest'] });
      },
      '/cdsHooks/0/focus: is ServiceRequest; appointment-book holds Appointment',
    ],
    [
      'a focus of a type that a hook of its own never holds',
      'prevent-base',
      ([s]) => {
        const bed = { is: 'resource', type: 'Task', focus: true };
        Object.assign(s, { hook: 'com.example.hover', context: { patientId: { is: 'id' }, bed }, focus: ['Location'] });
      },
      '/cdsHooks/0/focus: is Location; com.example.hover holds Task',
    ],
    [
      'another context for a hook of the library',
      'prevent-base',
      ([s]) => {
        s.context = { patientId: { is: 'id' } };
      },
      '/cdsHooks/0/context: is that of the CDS Hooks library',
    ],
    [
      'a version of a hook that was never published (CDS-3)',
      'prevent-base',
      ([s]) => {
        s.hook = 'order-dispatch';
        s.hookVersion = '7.0';
      },
      '/cdsHooks/0/hookVersion: is 7.0; the library has order-dispatch in 1.1 and 1.0',
    ],
    [
      'no description (CDS-2)',
      'prevent-base',
      ([s]) => {
        delete s.description;
      },
      '/cdsHooks/0: must have required',
    ],
    [
      'an id that is no part of an address',
      'prevent-base',
      ([s]) => {
        s.id = 'a/b';
      },
      '/cdsHooks/0/id',
    ],
    [
      'an abstention that alarms',
      'prevent-base',
      ([s]) => {
        s.cards.abstained = 'critical';
      },
      '/cdsHooks/0/cards/abstained',
    ],
    ['one service twice', 'prevent-base', (s) => s.push(s[0]), 'prevent-base at patient-view is there twice'],
    ['no levels', 'prevent-base', scored([]), '/cdsHooks/0/cards/scored'],
    ['levels that do not begin at 0', 'prevent-base', scored([{ from: 0.1, show: 'info' }]), 'begins at 0.1'],
    [
      'levels that do not ascend',
      'prevent-base',
      scored([
        { from: 0, show: 'info' },
        { from: 0.2, show: 'info', because: 'x' },
        { from: 0.2, show: 'none', because: 'x' },
      ]),
      '0.2 follows 0.2',
    ],
    [
      'a threshold without a source',
      'prevent-base',
      scored([
        { from: 0, show: 'none' },
        { from: 0.2, show: 'warning' },
      ]),
      'without because',
    ],
    ['a band where none is published', 'prevent-base', scored([{ band: 'high', show: 'info' }]), 'has no bands'],
    ['a limit where bands are published', 'pce-2013', scored([{ from: 0, show: 'info' }]), 'name each level'],
    ['a band that nothing is said of', 'pce-2013', ([s]) => s.cards.scored.pop(), 'does not say what high shows'],
    [
      'a band that is not published',
      'pce-2013',
      ([s]) => s.cards.scored.push({ band: 'huge', show: 'info' }),
      'huge is none of the bands of',
    ],
    ['an unknown key', 'pce-2013', ([s]) => s.cards.scored.push({ from: 0, below: 1, show: 'info' }), 'below'],
  ])('is refused with place and reason: %s', async (_, model, change, reason) => {
    const message = await refusalOf(model, change);
    expect(message).toContain('manifest.json /cdsHooks');
    expect(message).toContain(reason);
  });

  test('several services of a model stand beside each other, also at one address (CDS-4)', async () => {
    const folder = await copyModel('prevent-base');
    await folder.edit('manifest.json', ({ cdsHooks }) => {
      cdsHooks.push({ ...cdsHooks[0], hook: 'order-sign' }, { ...cdsHooks[0], id: 'stroke', outcome: 'stroke-10y' });
    });
    const engine = createOnnxEngine();
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(cdsServices(catalog, false).map(({ id, hook }) => `${id} ${hook}`)).toEqual([
      'prevent-base patient-view',
      'prevent-base order-sign',
      'stroke patient-view',
    ]);
    await engine.close();
    await folder[Symbol.asyncDispose]();
  });

  test('CDS-1 a demonstration model offers no service unless the site wants that', async () => {
    const folder = await copyModel('prevent-base');
    await folder.edit('manifest.json', (manifest) => {
      manifest.demonstration = true;
    });
    const engine = createOnnxEngine();
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(cdsServices(catalog, false)).toEqual([]);
    expect(cdsServices(catalog, true).map(({ id }) => id)).toEqual(['prevent-base']);
    await engine.close();
    await folder[Symbol.asyncDispose]();
  });

  test('a service that another model offers already keeps its model from being served', async () => {
    const folder = await copyModel('prevent-base');
    const other = folderAt(folder.modelsDir, 'second', '1.0.0');
    await cp(folder.dir, other.dir, { recursive: true });
    await other.edit('manifest.json', (manifest) => {
      manifest.id = 'second';
      manifest.cdsHooks[0].id = 'prevent-base';
    });
    await other.edit('model-card.json', (card) => {
      card.model = 'second';
    });
    await other.seal();
    const engine = createOnnxEngine();
    const catalog = await loadCatalog({ modelsDir: folder.modelsDir, engine, clock: systemClock });
    expect(catalog.list().map(({ key }) => key)).toEqual(['prevent-base@1.0.0']);
    expect(catalog.refused.map(({ reason }) => reason)).toEqual([
      'Model folder second/1.0.0 is refused: manifest.json /cdsHooks/0/id: the service prevent-base at patient-view is offered by prevent-base@1.0.0 already; give it another id.',
    ]);
    await engine.close();
    await folder[Symbol.asyncDispose]();
  });
});

describe('prefetch templates', () => {
  test.each(readdirSync(shippedModels))(
    'CDS-20 CDS-22 of %s are the very searches that a server would be asked',
    async (model) => {
      const { featureMap } = await readModelFolder(path.join(shippedModels, model, '1.0.0'));
      const asked: FhirSearch[] = [];
      const source = createHttpRecordSource(
        {
          base: 'https://ehr.example/fhir',
          read: async () => undefined,
          search: (search: FhirSearch) => {
            asked.push(search);
            return noPages();
          },
          searchOn: () => noPages(),
        },
        { findings: () => [] },
      );
      const queries = recordQueries(featureMap, new Date('2026-03-01T00:00:00Z'), ['consent', 'group']);
      const templates = prefetchTemplates(featureMap, ['consent', 'group']);
      expect(Object.keys(templates)).toEqual(['patient', ...queries.map(({ key }) => key)]);
      expect(templates.patient).toBe('Patient/{{context.patientId}}');
      for (const query of queries) {
        for await (const _page of source.search(query, '17')) throw new Error('there is no page');
        const { type, parameters, anyOf } = asked.at(-1) ?? { type: '', parameters: [] };
        const expected = new Map(parameters.filter(([name]) => name !== 'date'));
        if (anyOf !== undefined) expected.set(anyOf.name, anyOf.values.join(','));
        const [path_, search = ''] = (templates[query.key] ?? '').replaceAll('{{context.patientId}}', '17').split('?');
        expect(path_).toBe(type);
        expect(new Map(new URLSearchParams(search))).toEqual(expected);
      }
    },
  );

  test('CDS-21 hold no token but the patient, and nothing that would end a URL', async () => {
    const { featureMap } = await readModelFolder(path.join(shippedModels, 'prevent-base', '1.0.0'));
    for (const template of Object.values(prefetchTemplates(featureMap, ['consent', 'group']))) {
      expect(template.replaceAll('{{context.patientId}}', '17')).toMatch(/^[A-Z][A-Za-z]+[/?][\w=&:/|.,~%-]+$/);
    }
  });

  test('leave out what is not searched for an opt-out', async () => {
    const { featureMap } = await readModelFolder(path.join(shippedModels, 'prevent-base', '1.0.0'));
    expect(Object.keys(prefetchTemplates(featureMap, []))).toEqual([
      'patient',
      'observations',
      'conditions',
      'medicationRequests',
      'encounters',
    ]);
  });
});
