import { cp } from 'node:fs/promises';
import path from 'node:path';
import { copyModel, folderAt, type ModelFolder, shippedModels } from './model-folder.ts';

/** The eGFR of `ckd-epi-2021` as a feature. */
export const egfrOfCkdEpi = {
  kind: 'model' as const,
  label: 'Estimated GFR',
  model: 'ckd-epi-2021',
  version: '1.0.0',
  outcome: 'egfr',
  unit: 'mL/min/{1.73_m2}',
  plausible: [1, 250] as [number, number],
};

/** `prevent-base`, whose estimated GFR is what `ckd-epi-2021` beside it says: it reads no creatinine itself. */
export async function preventOfCkdEpi(definition: object = egfrOfCkdEpi): Promise<ModelFolder> {
  const folder = await copyModel('prevent-base');
  await addShipped(folder.modelsDir, 'ckd-epi-2021');
  await folder.edit('feature-map.json', ({ features }) => {
    features.estimatedGfr = definition;
    delete features.creatinine;
  });
  await folder.edit('model-card.json', (card) => {
    card.codeLists = card.codeLists.filter(({ feature }: { feature: string }) => feature !== 'creatinine');
  });
  await folder.seal();
  return folder;
}

export async function addShipped(modelsDir: string, id: string): Promise<ModelFolder> {
  const folder = folderAt(modelsDir, id, '1.0.0');
  await cp(path.join(shippedModels, id, '1.0.0'), folder.dir, { recursive: true });
  return folder;
}

/** A copy of `ckd-epi-2021` with another id, whose creatinine is the output of another model. */
export async function addUserOf(
  modelsDir: string,
  id: string,
  definition: object,
  finish: (folder: ModelFolder) => Promise<void> = async () => undefined,
): Promise<ModelFolder> {
  const folder = folderAt(modelsDir, id, '1.0.0');
  await cp(path.join(shippedModels, 'ckd-epi-2021', '1.0.0'), folder.dir, { recursive: true });
  await folder.edit('feature-map.json', ({ features }) => {
    features.creatinine = definition;
  });
  await folder.edit('model-card.json', (card) => {
    card.model = id;
    card.codeLists = card.codeLists.filter(({ feature }: { feature: string }) => feature !== 'creatinine');
  });
  await folder.edit('manifest.json', (manifest) => {
    manifest.id = id;
  });
  await finish(folder);
  await folder.seal();
  return folder;
}

/** What the column of `by-category` holds for each class: as if it was a creatinine. */
export const columnOfCategory = { G1: 0.7, G2: 0.9, G3a: 1.5, G3b: 2, G4: 3, G5: 6 } as const;

/** A copy of `ckd-epi-2021` for people of any age, whose creatinine is the GFR category of the shipped one. */
export async function addUserOfCategory(modelsDir: string, changes: object = {}): Promise<ModelFolder> {
  const definition = {
    kind: 'model',
    label: 'GFR category',
    model: 'ckd-epi-2021',
    version: '1.0.0',
    outcome: 'gfr-category',
    vocabulary: Object.keys(columnOfCategory),
    ...changes,
  };
  return await addUserOf(modelsDir, 'by-category', definition, async ({ edit }) => {
    await edit('feature-map.json', ({ population }) => {
      population.require = [];
    });
    await edit('manifest.json', ({ tensors, directions }) => {
      tensors.input.columns[2].encode = columnOfCategory;
      delete directions.creatinine;
    });
    await edit('golden/scalar-form.json', (golden) => {
      const codes = new Map(Object.entries(columnOfCategory).map(([code, value]) => [value, code]));
      golden.cases = golden.cases.flatMap((each: { inputs: { creatinine: number } }) => {
        const creatinine = codes.get(each.inputs.creatinine as 6);
        return creatinine === undefined ? [] : [{ ...each, inputs: { ...each.inputs, creatinine } }];
      });
    });
  });
}
