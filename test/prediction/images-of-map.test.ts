import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { type InputRequest, readModelInputs } from '../../src/prediction/model-inputs.ts';
import { passesByItself } from '../../src/prediction/passes-by-itself.ts';
import type { Seed } from '../../src/prediction/prediction-request.ts';
import type { RecordReader, RecordSource } from '../../src/records/record-source.ts';
import { imagingStudy, wadoEndpoint } from '../support/build-imaging-study.ts';
import { type FakePacs, startFakePacs } from '../support/fake-pacs.ts';
import { imagingAt, plainRadiograph, radiograph, radiographed } from '../support/radiographs.ts';
import { bareMap } from '../support/shipped-model.ts';

const asOf = new Date('2026-01-02T12:00:00Z');
const map = bareMap({ chest: plainRadiograph });
const manifest: Pick<Manifest, 'tensors' | 'outcomes' | 'explanation'> = {
  tensors: {
    input: { name: 'pixels', type: 'float32', shape: [2, 3], image: 'chest' },
    output: { name: 'y', type: 'float32', columns: 1 },
  },
  outcomes: [{ id: 'finding', label: 'finding', kind: 'probability', column: 0, horizon: 'P1D' }],
  explanation: {
    method: 'occlusion',
    reference: {},
    saliency: { feature: 'chest', by: 'occlusion', patch: [1, 1], stride: [1, 1], baseline: 0, most: 1 },
    because: 'a test',
  },
};
const model = {
  manifest: manifest as Manifest,
  compiled: compileFeatureMap(map),
  uses: [],
  readByUsed: new Map(),
  queriesAt: (instant: Date) => recordQueries(map, instant, []),
};

let pacs: FakePacs;
let imaging: ReturnType<typeof imagingAt>;

beforeAll(async () => {
  pacs = await startFakePacs();
  imaging = imagingAt(pacs);
});
afterAll(async () => {
  await imaging.close();
  await pacs.close();
});
beforeEach(() => {
  pacs.objects.splice(0, pacs.objects.length, radiograph());
  pacs.requests.length = 0;
  pacs.intercept = () => false;
});

const base = 'http://127.0.0.1/fhir/R4';

/** What a prediction begins with whose record a server holds: these resources and no others. */
async function inputsOf(
  resources: readonly Resource[],
  rest: Partial<InputRequest> = {},
  withImages = true,
  hold?: (release: () => void) => void,
) {
  const isOthers = ({ resourceType }: Resource) => resourceType === 'Endpoint';
  const source: RecordReader = {
    base,
    own: true,
    readMany: async () => {
      const patient = resources.find((resource) => resource.resourceType === 'Patient');
      const rows = resources.filter((resource) => resource.resourceType === 'ImagingStudy');
      const others = resources.filter(isOthers).map((one) => [`${one.resourceType}/${one.id}`, one] as const);
      return { subjects: new Map([['1', { rows, ...(patient && { patient }) }]]), others: new Map(others) };
    },
  };
  const parts = {
    tenant: 'default',
    source: source as RecordSource,
    subjectBase: base,
    openServer: () => undefined,
    validate: () => undefined,
    timeZone: 'UTC',
    ...(withImages && { imaging: imaging.parts }),
  };
  const request: InputRequest = { subject: '1', asOf, seed: [], inputs: [], ...rest };
  const { inputs } = await readModelInputs(parts, model, request, () => undefined, hold);
  return { chest: inputs.features.get('chest'), verdict: inputs.verdicts.get('finding'), basis: inputs.basis };
}

const endpoint = wadoEndpoint();
const seedsOf = (resources: readonly Resource[]): Seed[] =>
  resources.map((resource, index) => ({ resource, expression: `Parameters.parameter[${index}].resource` }));
const held = (): Resource[] => [radiographed, imagingStudy(), { ...endpoint, address: pacs.base }];

describe('a prediction from an image', () => {
  it('is made from the tensor, and names the study, the frames and the rule', async () => {
    const { chest, verdict, basis } = await inputsOf(held());
    expect(verdict).toEqual({ state: 'score' });
    expect(chest).toMatchObject({
      state: 'observed',
      value: 1,
      at: '2026-01-02T07:30:00Z',
      detail: 'modality DX; without derived; took the only image that fits',
      image: {
        shape: [2, 3],
        study: { studyInstanceUid: '1.2.3.4' },
        images: [{ sopInstanceUid: '1.2.3.4.1.1', frame: 1 }],
        preview: { rows: 2, columns: 3 },
      },
    });
    expect(basis).toContainEqual({ reference: 'ImagingStudy/s1' });
  });

  it('holds the memory of its tensor, and of what its explanation makes of it, until it ends, and no longer', async () => {
    const { memory } = imaging.parts;
    let release = (): void => undefined;
    await inputsOf(held(), {}, true, (given) => {
      release = given;
    });
    // Six numbers, room for the preview, and for images without a patch that are run together, with the copy that is sent.
    expect(memory.bytes - memory.free).toBe(6 * 4 + 3 * 1024 * 1024 + 2 * 1_000_000);
    release();
    expect(memory.free).toBe(memory.bytes);
  });

  it('is about the study that the call is about', async () => {
    const newer = imagingStudy({
      id: 'newer',
      started: '2026-01-02T09:00:00Z',
      identifier: [{ system: 'urn:dicom:uid', value: '9.9' }],
    });
    const all = [...held(), newer];
    expect((await inputsOf(all)).chest).toMatchObject({ state: 'missing', because: 'study-incomplete' });
    expect((await inputsOf(all, { focus: 'ImagingStudy/s1' })).chest).toMatchObject({ state: 'observed' });
  });

  it('RA-7: passes by itself where nothing but the quiet period of the study is not over', async () => {
    const passes = async (study: ReturnType<typeof imagingStudy>) => {
      const others = held().filter(({ resourceType }) => resourceType !== 'ImagingStudy');
      const { chest, verdict } = await inputsOf([...others, study]);
      if (chest === undefined || verdict === undefined) throw new Error('no image');
      return passesByItself({ features: new Map([['chest', chest]]), verdicts: new Map([['finding', verdict]]) });
    };
    const changed = { meta: { lastUpdated: '2026-01-02T11:59:50Z' } };
    expect(await passes(imagingStudy(changed))).toBe(true);
    expect(await passes(imagingStudy({ ...changed, numberOfInstances: 9 }))).toBe(false);
    expect(await passes(imagingStudy())).toBe(false);
  });

  it('is none where the image is missing, for the reason that it is missing', async () => {
    pacs.objects.splice(0, 1, radiograph({ PatientID: '4712' }));
    const { verdict } = await inputsOf(held());
    expect(verdict).toMatchObject({
      state: 'insufficient-data',
      reasons: [{ reason: 'chest:study-of-another-patient', feature: 'chest' }],
    });
  });

  it('is none where no image server is configured', async () => {
    const { verdict } = await inputsOf(held(), {}, false);
    expect(verdict).toMatchObject({ state: 'insufficient-data', reasons: [{ reason: 'chest:no-image-source' }] });
  });

  it('fetches no image of somebody of whom no model may speak', async () => {
    const { verdict, chest } = await inputsOf([
      { ...radiographed, deceasedDateTime: '2026-01-02T08:00:00Z' },
      ...held().slice(1),
    ]);
    expect(verdict).toMatchObject({ state: 'not-eligible' });
    expect(chest).toMatchObject({ state: 'missing', because: 'input-missing' });
    expect(pacs.requests).toEqual([]);
  });

  it('is none, and no image server is asked, where the caller says whose study it is', async () => {
    const [patient, study, where] = seedsOf(held());
    const [query] = model.queriesAt(asOf);
    if (!patient || !study || !where || !query) throw new Error('three resources and a query');
    const answers = new Map([
      ['patient', [patient]],
      [query.key, [study, where]],
    ]);
    const here = held().filter(({ resourceType }) => resourceType !== 'ImagingStudy');
    const claims: readonly (readonly [string, Resource[], Partial<InputRequest>])[] = [
      ['all of it', [], { origin: { from: 'caller' }, seed: [patient, study, where] }],
      ['a hook without a server', [], { origin: { from: 'caller', answers } }],
      ['a hook of a server that is not listed', [], { origin: { from: 'server', base: `${base}/other`, answers } }],
      ['a study of a Patient who is here', here, { seed: [study] }],
      ['a study without an id', here, { seed: seedsOf([imagingStudy({ id: undefined })]) }],
      ['where a study that is here lies', held().slice(0, 2), { seed: [where] }],
    ];
    for (const [what, resources, claim] of claims) {
      const { verdict } = await inputsOf(resources, claim);
      expect(verdict, what).toMatchObject({ reasons: [{ reason: 'chest:no-image-source' }] });
    }
    expect(pacs.requests).toEqual([]);
  });

  it('is made where the caller sends along what the server holds', async () => {
    expect((await inputsOf(held(), { seed: seedsOf(held()) })).chest).toMatchObject({ state: 'observed' });
  });

  it('fails where the image server does', async () => {
    pacs.intercept = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    await expect(inputsOf(held())).rejects.toMatchObject({ code: 'IMAGES_UNREACHABLE' });
  });

  it('asks a server for the studies of the patient, whatever their modality or start', () => {
    expect(model.queriesAt(asOf)).toEqual([
      { key: 'imagingStudies', type: 'ImagingStudy', subjectParameter: 'patient' },
    ]);
  });
});
