import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { type InputParts, type InputRequest, readModelInputs } from '../../src/prediction/model-inputs.ts';
import { imagingStudy, wadoEndpoint } from '../support/build-imaging-study.ts';
import { type FakePacs, startFakePacs } from '../support/fake-pacs.ts';
import { imagingAt, plainRadiograph, radiograph, radiographed } from '../support/radiographs.ts';
import { bareMap } from '../support/shipped-model.ts';

const asOf = new Date('2026-01-02T12:00:00Z');
const map = bareMap({ chest: plainRadiograph });
const manifest: Pick<Manifest, 'tensors' | 'outcomes'> = {
  tensors: {
    input: { name: 'pixels', type: 'float32', shape: [2, 3], image: 'chest' },
    output: { name: 'y', type: 'float32', columns: 1 },
  },
  outcomes: [{ id: 'finding', label: 'finding', kind: 'probability', column: 0, horizon: 'P1D' }],
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

/** What a prediction from resources that only its caller holds begins with. */
async function inputsOf(resources: readonly Resource[], rest: Partial<InputRequest> = {}, withImages = true) {
  const nothing = (): never => {
    throw new Error('only the caller holds the record');
  };
  const parts = {
    tenant: 'default',
    source: undefined as unknown as InputParts['source'],
    subjectBase: 'http://127.0.0.1/fhir/R4',
    openServer: nothing,
    validate: () => undefined,
    timeZone: 'UTC',
    ...(withImages && { imaging: imaging.parts }),
  };
  const seed = resources.map((resource, index) => ({
    resource,
    expression: `Parameters.parameter[${index}].resource`,
  }));
  const request: InputRequest = { subject: '1', asOf, seed, inputs: [], origin: { from: 'caller' }, ...rest };
  const { inputs } = await readModelInputs(parts, model, request);
  return { chest: inputs.features.get('chest'), verdict: inputs.verdicts.get('finding'), basis: inputs.basis };
}

const endpoint = wadoEndpoint();
const sent = () => [radiographed, imagingStudy(), { ...endpoint, address: pacs.base }];

describe('a prediction from an image', () => {
  it('is made from the tensor, and names the study, the frames and the rule', async () => {
    const { chest, verdict, basis } = await inputsOf(sent());
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
    expect(basis).toContainEqual({ display: 'ImagingStudy/s1 sent by the caller, not stored' });
  });

  it('is about the study that the call is about', async () => {
    const newer = imagingStudy({
      id: 'newer',
      started: '2026-01-02T09:00:00Z',
      identifier: [{ system: 'urn:dicom:uid', value: '9.9' }],
    });
    const all = [...sent(), newer];
    expect((await inputsOf(all)).chest).toMatchObject({ state: 'missing', because: 'study-incomplete' });
    expect((await inputsOf(all, { focus: 'ImagingStudy/s1' })).chest).toMatchObject({ state: 'observed' });
  });

  it('is none where the image is missing, for the reason that it is missing', async () => {
    pacs.objects.splice(0, 1, radiograph({ PatientID: '4712' }));
    const { verdict } = await inputsOf(sent());
    expect(verdict).toMatchObject({
      state: 'insufficient-data',
      reasons: [{ reason: 'chest:study-of-another-patient', feature: 'chest' }],
    });
  });

  it('is none where no image server is configured', async () => {
    const { verdict } = await inputsOf(sent(), {}, false);
    expect(verdict).toMatchObject({ state: 'insufficient-data', reasons: [{ reason: 'chest:no-image-source' }] });
  });

  it('fetches no image of somebody of whom no model may speak', async () => {
    const { verdict, chest } = await inputsOf([
      { ...radiographed, deceasedDateTime: '2026-01-02T08:00:00Z' },
      ...sent().slice(1),
    ]);
    expect(verdict).toMatchObject({ state: 'not-eligible' });
    expect(chest).toMatchObject({ state: 'missing', because: 'input-missing' });
    expect(pacs.requests).toEqual([]);
  });

  it('fails where the image server does', async () => {
    pacs.intercept = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    await expect(inputsOf(sent())).rejects.toMatchObject({ code: 'IMAGES_UNREACHABLE' });
  });

  it('asks a server for the studies of the patient, whatever their modality or start', () => {
    expect(model.queriesAt(asOf)).toEqual([
      { key: 'imagingStudies', type: 'ImagingStudy', subjectParameter: 'patient' },
    ]);
  });
});
