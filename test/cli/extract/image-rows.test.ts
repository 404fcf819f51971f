import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseExtractOptions } from '../../../src/cli/extract/extract-options.ts';
import { fillMatrix } from '../../../src/cli/extract/fill-matrix.ts';
import { openMatrixFile } from '../../../src/cli/extract/matrix-file.ts';
import { createMatrixImages } from '../../../src/cli/extract/matrix-images.ts';
import type { MatrixModel } from '../../../src/cli/extract/matrix-rows.ts';
import { compileFeatureMap } from '../../../src/features/compile-feature-map.ts';
import { encodePng } from '../../../src/imaging/preprocess/encode-png.ts';
import type { Manifest } from '../../../src/model-catalog/manifest-schema.ts';
import { recordQueries } from '../../../src/model-catalog/record-queries.ts';
import { readModelInputs } from '../../../src/prediction/model-inputs.ts';
import type { RecordSource } from '../../../src/records/record-source.ts';
import { readNpy } from '../../imaging/support/read-npy.ts';
import { imagingStudy, wadoEndpoint } from '../../support/build-imaging-study.ts';
import { type FakePacs, startFakePacs } from '../../support/fake-pacs.ts';
import { csvRows } from '../../support/make-matrix.ts';
import { imagingAt, plainRadiograph, radiograph, radiographed, readAt } from '../../support/radiographs.ts';
import { bareMap } from '../../support/shipped-model.ts';

const map = bareMap({ chest: plainRadiograph });
const manifest = {
  explanation: { method: 'occlusion', reference: {}, because: 'a test' },
  id: 'of-radiographs',
  version: '1.0.0',
  tensors: {
    input: { name: 'pixels', type: 'float32', shape: [2, 3], image: 'chest' },
    output: { name: 'y', type: 'float32', columns: 1 },
  },
  outcomes: [{ id: 'finding', label: 'finding', kind: 'probability', column: 0, horizon: 'P1D' }],
} as unknown as Manifest;
const model: MatrixModel = {
  manifest,
  digest: 'of the test',
  compiled: compileFeatureMap(map),
  uses: [],
  readByUsed: new Map(),
  queriesAt: (instant) => recordQueries(map, instant, []),
};

let pacs: FakePacs;
let imaging: ReturnType<typeof imagingAt>;
const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-image-rows-'));

beforeAll(async () => {
  pacs = await startFakePacs();
  pacs.objects.push(radiograph());
  imaging = imagingAt(pacs);
});
afterAll(async () => {
  await imaging.close();
  await pacs.close();
  rmSync(folder, { recursive: true });
});

/** A server with one patient who has a radiograph, and one who has none. */
function source(): RecordSource {
  return {
    base: 'http://127.0.0.1/fhir/R4',
    own: true,
    readPatient: async (id) => ({ ...radiographed, id }),
    read: async (type) => (type === 'Endpoint' ? { ...wadoEndpoint(), address: pacs.base } : undefined),
    async *search({ type }, subject) {
      if (type === 'ImagingStudy' && subject === '1') yield [imagingStudy()];
    },
  };
}

it('a row of a matrix holds the very tensor that a prediction is made from, and one without an image says why', async () => {
  const list = path.join(folder, 'list.txt');
  writeFileSync(list, '1\n2\n');
  const out = path.join(folder, 'features.csv');
  const args = ['--draft', 'x', '--cohort', list, '--as-of', '2026-01-02T12:00:00Z', '--out', out];
  const options = await parseExtractOptions(args, () => 'UTC');
  const parts = {
    tenant: 'default',
    source: source(),
    subjectBase: 'http://127.0.0.1/fhir/R4',
    openServer: () => undefined,
    validate: () => undefined,
    timeZone: 'UTC',
    imaging: imaging.parts,
    findModel: () => {
      throw new Error('the model is a draft');
    },
    clock: { now: () => readAt },
    sliceSize: 8,
    rowTimeoutMs: 30_000,
    event: () => undefined,
  };
  const cohorts = {
    check: async () => undefined,
    read: async function* () {},
  };
  const file = await openMatrixFile(out, false);
  const images = createMatrixImages(out, false, async (picture) => encodePng(picture));
  const extraction = { parts, cohorts, draft: async () => model };
  await fillMatrix({ handle: file.handle, images }, extraction, options, new AbortController().signal);
  await images.commit();
  await file.commit();

  const rows = csvRows(readFileSync(out, 'utf8'));
  expect(
    rows.map((row) => [row.subject, row['chest.state'], row['chest.reason'], row['x.0.chest'], row.error]),
  ).toEqual([
    ['1', 'observed', '', '0', ''],
    ['2', 'missing', 'not-found', '', ''],
  ]);
  const asked = { subject: '1', asOf: new Date('2026-01-02T12:00:00Z'), seed: [], inputs: [] };
  const { inputs } = await readModelInputs(parts, model, asked);
  const chest = inputs.features.get('chest');
  const bedside = chest?.state === 'observed' ? chest.image : undefined;
  const { shape, data } = readNpy(readFileSync(path.join(folder, 'features.csv.images/chest.npy')));
  expect(shape).toEqual([1, 2, 3]);
  expect(data).toEqual(bedside?.tensor);
  const png = decode(readFileSync(path.join(folder, 'features.csv.images/chest-0.png')));
  expect([png.height, png.width]).toEqual([2, 3]);
  expect(Uint8Array.from(png.data)).toEqual(bedside?.preview.data);
});
