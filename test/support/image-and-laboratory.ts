import { goldenOfImages, imageModelFolder } from './image-model.ts';
import type { ModelFolder } from './model-folder.ts';

/** The folder of `imageNetwork`, whose number is creatinine of the laboratory in the place of the age. */
export async function imageAndLaboratoryFolder(): Promise<ModelFolder> {
  const cases = goldenOfImages.cases.map((golden) => {
    const { age, ...inputs } = golden.inputs;
    return { ...golden, inputs: { ...inputs, creatinine: age } };
  });
  const folder = await imageModelFolder();
  await folder.write('golden/test.json', JSON.stringify({ ...goldenOfImages, cases }));
  await folder.edit('feature-map.json', (json) => {
    delete json.features.age;
    json.features.creatinine = {
      kind: 'observation',
      label: 'Creatinine',
      unit: 'umol/L',
      codes: ['http://loinc.org|14682-9'],
      status: ['final', 'amended', 'corrected'],
      window: 'P1Y',
      pick: 'latest',
      conversions: [],
      plausible: [10, 2000],
      missing: 'abstain',
    };
  });
  await folder.edit('manifest.json', (json) => {
    json.tensors.inputs[1].columns = [{ feature: 'creatinine' }];
    json.explanation.reference = { creatinine: 80 };
  });
  await folder.edit('model-card.json', (json) => {
    json.inputs[1].feature = 'creatinine';
    json.fairness.sensitiveInputs = [];
  });
  await folder.seal();
  return folder;
}
