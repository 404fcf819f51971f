import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { FeatureDefinition, FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import { copyModel, folderAt, type ModelFolder, shippedModels } from './model-folder.ts';
import { onnxBytes } from './onnx-model.ts';

export const everyColumnModel = 'every-column';

/** Features of the test model by the column of `expected_features.csv` that they answer. */
export const observationColumns: Readonly<Record<string, string>> = {
  sbp: 'systolicBloodPressure',
  dbp: 'diastolicBloodPressure',
  smoking: 'currentSmoker',
  total_c: 'totalCholesterol',
  hdl_c: 'hdlCholesterol',
  creatinine: 'creatinine',
  bmi: 'bodyMassIndex',
  hba1c: 'haemoglobinA1c',
  uacr: 'albuminCreatinineRatio',
  ast: 'aspartateAminotransferase',
  alt: 'alanineAminotransferase',
  platelets: 'plateletCount',
  sodium: 'sodium',
  potassium: 'potassium',
};
export const booleanColumns: Readonly<Record<string, string>> = {
  diabetes: 'diabetes',
  antihypertensive: 'antihypertensiveMedication',
  statin: 'statinMedication',
  prior_cvd: 'priorCardiovascularDisease',
};

/**
 * A models folder with the shipped models and one for tests whose map lists every column. What the shipped models map
 * is mapped as there. It reads age alone and scores 1 / (1 + age), so that what is missing withholds nothing.
 */
export async function everyColumnModels(): Promise<ModelFolder> {
  const prevent = await copyModel('prevent-base');
  const { modelsDir } = prevent;
  for (const id of ['ckd-epi-2021', 'pce-2013'])
    await cp(path.join(shippedModels, id), path.join(modelsDir, id), { recursive: true });
  const folder = folderAt(modelsDir, everyColumnModel, '1.0.0');
  await cp(prevent.dir, folder.dir, { recursive: true });
  await folder.remove('golden/published-examples.json');
  await folder.edit('golden/scalar-form.json', (golden) => {
    golden.cases = [
      { name: 'four years old', inputs: { age: 4 }, expected: { test: 0.2 }, tolerance: 1e-9 },
      { name: 'nine years old', inputs: { age: 9 }, expected: { test: 0.1 }, tolerance: 1e-9 },
    ];
  });
  await folder.edit('model-card.json', (card) => {
    card.model = everyColumnModel;
    card.inputs = card.inputs.filter(({ feature }: { feature: string }) => feature === 'age');
    card.outputs = [{ ...card.outputs[0], outcome: 'test' }];
  });
  await folder.edit('manifest.json', (manifest) => {
    manifest.id = everyColumnModel;
    delete manifest.cdsHooks;
    manifest.title = 'Every column of the cases, for tests only';
    manifest.tensors.input.columns = [{ feature: 'age' }];
    manifest.tensors.output.columns = 1;
    manifest.outcomes = [{ id: 'test', label: 'None, for tests only', kind: 'probability', column: 0, horizon: 'P1Y' }];
    manifest.explanation.reference = { age: 50 };
  });
  const map = await everyColumnMap();
  await folder.write('feature-map.json', JSON.stringify(map));
  await folder.write('model.onnx', reciprocalModel());
  await folder.seal();
  return folder;
}

async function everyColumnMap(): Promise<FeatureMap> {
  const shipped = async (id: string): Promise<FeatureMap['features']> =>
    JSON.parse(await readFile(path.join(shippedModels, id, '1.0.0/feature-map.json'), 'utf8')).features;
  const { estimatedGfr: _derived, ...prevent } = await shipped('prevent-base');
  const omb = (code: string) => [`urn:oid:2.16.840.1.113883.6.238|${code}`];
  return {
    language: 1,
    features: {
      ...prevent,
      race: {
        kind: 'demographics',
        label: 'Race',
        element: 'race',
        vocabulary: {
          white: omb('2106-3'),
          'black-or-african-american': omb('2054-5'),
          asian: omb('2028-9'),
          'american-indian-or-alaska-native': omb('1002-5'),
          other: [],
        },
      },
      diastolicBloodPressure: {
        ...measured('8462-4', 'mm[Hg]', [20, 200]),
        component: {
          panels: ['http://loinc.org|85354-9', 'http://loinc.org|55284-4'],
          codes: ['http://loinc.org|8462-4'],
        },
      },
      haemoglobinA1c: measured('4548-4', '%', [2, 25]),
      albuminCreatinineRatio: measured('14959-1', 'mg/g', [0, 30_000]),
      aspartateAminotransferase: measured('1920-8', 'U/L', [0, 30_000]),
      alanineAminotransferase: measured('1742-6', 'U/L', [0, 30_000]),
      plateletCount: measured('777-3', '10*3/uL', [0, 3_000]),
      sodium: measured('2947-0', 'mmol/L', [80, 200]),
      potassium: measured('6298-4', 'mmol/L', [1, 12]),
    },
    population: { exclude: [], require: [], ranges: [] },
  };
}

function measured(
  loinc: string,
  unit: string,
  plausible: [number, number],
): FeatureDefinition & { kind: 'observation' } {
  return {
    kind: 'observation',
    label: `LOINC ${loinc}`,
    unit,
    codes: [`http://loinc.org|${loinc}`],
    window: 'P5Y',
    pick: 'latest',
    plausible,
    missing: 'abstain',
  };
}

/** Sigmoid of -ln x, which is 1 / (1 + x). */
function reciprocalModel(): Uint8Array {
  return onnxBytes({
    inputs: [{ name: 'x', type: 'float64', shape: ['n', 1] }],
    outputs: [{ name: 'risk', type: 'float64', shape: ['n', 1] }],
    nodes: [
      { op: 'Log', inputs: ['x'], outputs: ['logarithm'] },
      { op: 'Neg', inputs: ['logarithm'], outputs: ['negated'] },
      { op: 'Sigmoid', inputs: ['negated'], outputs: ['risk'] },
    ],
  });
}
